# test: dis mnemonic
r1 = le16 r1
r2 = be64 r2
r3 = bswap32 r3
# ==>
le16 %r1
be64 %r2
bswap32 %r3

# test: asm big
r1 = r2
r1 = 0x1122334455667788 ll
*(u16 *)(r2 + 0x102) = r3
# ==>
bf 12 00 00 00 00 00 00
18 10 00 00 55 66 77 88
00 00 00 00 11 22 33 44
6b 23 01 02 00 00 00 00
