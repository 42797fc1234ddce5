#include "bpf.h"
SEC("xdp") int f(struct xdp_md *c) {
    u64 a = ktime();
    a ^= 0x123456789abcdef0; a += 0x80000000; a |= 0x7fffffff; a &= ~0xffffffffull; a -= -0x7fffffffffffffff; a *= 0xffffffff;
    return a ^ (a == 0x8000000000000000) ^ (u32)(a * 0x80000001);
}
