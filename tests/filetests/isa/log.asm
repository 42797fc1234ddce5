# test: dis kernel
0: (b7) r0 = 0                        ; R0_w=0
1: (18) r1 = 0xffff88810000
3: (85) call bpf_get_prandom_u32#7    ; R0_w=scalar()
4: (15) if r0 == 0x0 goto pc+1
5: (db) r1 = atomic64_fetch_add((u64 *)(r10 -8), r1)
6: (95) exit
processed 6 insns (limit 1000000)
# ==>
r0 = 0
r1 = 0xffff88810000 ll
call 7
if r0 == 0 goto +1
r1 = atomic_fetch_add((u64 *)(r10 - 8), r1)
exit
