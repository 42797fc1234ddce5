# test: asm
call 7
call bpf_ktime_get_ns
call map_lookup_elem
call local f
call runtime 65472
call kfunc 9, module 2
callx r3
exit
f: exit
# ==>
85 00 00 00 07 00 00 00
85 00 00 00 05 00 00 00
85 00 00 00 01 00 00 00
85 10 00 00 04 00 00 00
85 20 00 00 c0 ff 00 00
85 20 02 00 09 00 00 00
8d 03 00 00 00 00 00 00
95 00 00 00 00 00 00 00
95 00 00 00 00 00 00 00
