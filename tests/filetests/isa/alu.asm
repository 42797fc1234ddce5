# test: dis kernel
mov %r1, 5
add %r1, %r2
add32 %r1, -7
sdiv %r1, %r2
smod32 %r3, 9
movsx864 %r1, %r2
movsx1632 %r4, %r5
neg %r1
neg32 %r6
arsh32 %r2, 3
# ==>
r1 = 5
r1 += r2
w1 += -7
r1 s/= r2
w3 s%= 9
r1 = (s8)r2
w4 = (s16)w5
r1 = -r1
w6 = -w6
w2 s>>= 3

# test: dis mnemonic
r1 = 5
r1 += r2
w1 += -7
r1 s/= r2
w3 s%= 9
r1 = (s8)r2
w4 = (s16)w5
r1 = -r1
w6 = -w6
w2 s>>= 3
# ==>
mov %r1, 5
add %r1, %r2
add32 %r1, -7
sdiv %r1, %r2
smod32 %r3, 9
movsx864 %r1, %r2
movsx1632 %r4, %r5
neg %r1
neg32 %r6
arsh32 %r2, 3
