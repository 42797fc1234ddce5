#include "bpf.h"
SEC("xdp") int f(struct xdp_md *c) {
    s64 a = ktime(); s32 b = prandom(); s16 d = a; s8 e = b;
    a >>= 5; b >>= 3;
    return a + b + d * e + (a < b) + (b <= 17) + (s64)d;
}
