# test: asm
if r1 s> 5 goto +3
if w1 & w2 goto -1
gotol +2
may_goto +2
goto +0
exit
# ==>
65 01 03 00 05 00 00 00
4e 21 ff ff 00 00 00 00
06 00 00 00 02 00 00 00
e5 00 02 00 00 00 00 00
05 00 00 00 00 00 00 00
95 00 00 00 00 00 00 00

# test: dis mnemonic labels
again: r0 += 1
if r0 < 10 goto again
if w0 == 5 goto out
gotol again
out: exit
# ==>
L1:
add %r0, 1
jlt %r0, 10, L1
jeq32 %r0, 5, L2
ja32 L1
L2:
exit
