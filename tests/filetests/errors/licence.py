# test: errors Proprietary
@bpf.tracepoint("sched:sched_switch")
def prog(ctx):
    bpf.printk
    print("hello")
# ==>
test.py:6:5: error[gpl-only]: print() is for GPL programs, this one is 'Proprietary'
    5 |     bpf.printk
    6 |     print("hello")
      |     ^^^^^^^^^^^^^^
  help: leave the licence at 'GPL', or do without it

# test: errors
def away(index):
    return bpf.helpers.redirect(index, 0)

@bpf.tc
def may(ctx):
    return away(1)

@bpf.tracepoint("sched:sched_switch")
def may_not(ctx):
    bpf.helpers.skb_change_type(ctx, 0)
    away(1)
# ==>
test.py:12:5: error[program-type]: skb_change_type() cannot be called in tracepoint programs
   11 | def may_not(ctx):
   12 |     bpf.helpers.skb_change_type(ctx, 0)
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: it is for tc programs

test.py:13:5: error[program-type]: redirect() cannot be called in tracepoint programs
   12 |     bpf.helpers.skb_change_type(ctx, 0)
   13 |     away(1)
      |     ^^^^^^^
test.py:4:12: note: it is called here
    3 | def away(index):
    4 |     return bpf.helpers.redirect(index, 0)
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  help: it calls the helper redirect, which is for tc, xdp and lwt_xmit programs
