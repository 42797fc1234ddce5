#include "bpf.h"
SEC("tc") int f(struct xdp_md *c) {
    u32 a = prandom(), b = c->data; s32 s = a - b; u32 r = 0;
    if (a > b) r += ktime(); if (s > 5) r += prandom(); if (s <= (s32)b) r += ktime(); if (a & b) r ^= prandom();
    if (a == 0xfffffff0) r += ktime(); if (s >= -3) r += prandom(); if (a != c->data_end) r += 2; if (a < 1000) r += ktime();
    return r;
}
