#include "bpf.h"
SEC("tc") int f(struct xdp_md *c) {
    u64 a = ktime(); s64 s = (s64)prandom() - 50; u32 r = 0;
    if (a > 100) r += 1; if (a >= 0x80000000) r += ktime(); if (a < 5) r ^= prandom(); if (a <= 7) r += 4;
    if (s > -1) r += ktime(); if (s >= -77) r -= prandom(); if (s < -5) r += 3; if (s <= 9) r *= 9;
    if (a & 0x10) r += ktime(); if (a == 0x123456789) r = 5; if (a != r) r += 9;
    return r;
}
