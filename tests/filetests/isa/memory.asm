# test: dis mnemonic
r1 = *(u8 *)(r2 + 8)
r1 = *(s32 *)(r2 - 8)
*(u64 *)(r10 - 16) = r3
*(u16 *)(r10 - 2) = 77
r1 = load_acquire((u64 *)(r2 + 0))
store_release((u8 *)(r2 + 1), w3)
r0 = *(u32 *)skb[12]
r0 = *(u16 *)skb[r7 + 4]
# ==>
ldxb %r1, [%r2+8]
ldxsw %r1, [%r2-8]
stxdw [%r10-16], %r3
sth [%r10-2], 77
load_acquire64 %r1, [%r2+0]
store_release8 [%r2+1], %r3
ldabsw 12
ldindh %r7, 4
