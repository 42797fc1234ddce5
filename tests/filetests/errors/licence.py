# test: errors Proprietary
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    bpf.printk
    print("hello")
# ==>
test.py:6:5: error[gpl-only]: the helper trace_printk is for GPL programs, this one is 'Proprietary'
    5 |     bpf.printk
    6 |     print("hello")
      |     ^^^^^^^^^^^^^^
  help: leave the licence at 'GPL', or do without the helper
