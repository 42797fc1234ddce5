# test: dis mnemonic
lock *(u64 *)(r1 + 0) += r2
lock *(u32 *)(r1 + 4) ^= w2
r2 = atomic_fetch_or((u64 *)(r1 + 0), r2)
w2 = atomic_fetch_and((u32 *)(r1 + 0), w2)
r2 = xchg_64(r1 + 0, r2)
w0 = cmpxchg32_32(r1 + 0, w0, w2)
# ==>
lock add [%r1+0], %r2
lock xor32 [%r1+4], %r2
lock fetch or [%r1+0], %r2
lock fetch and32 [%r1+0], %r2
lock xchg [%r1+0], %r2
lock cmpxchg32 [%r1+0], %r2

# test: dis kernel
lock add32 [%r1+8], %r2
lock fetch xor [%r1], %r2
lock cmpxchg [%r1-8], %r2
# ==>
lock *(u32 *)(r1 + 8) += w2
r2 = atomic_fetch_xor((u64 *)(r1 + 0), r2)
r0 = cmpxchg_64(r1 - 8, r0, r2)
