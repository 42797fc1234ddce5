#include "bpf.h"
s8 a; s16 b; s32 c; s64 d;
SEC("xdp") int f(struct xdp_md *x) {
    d += a; d -= b; d ^= c; c = a * b; b = c; a = d;
#if CPU >= 4
    d /= c | 1; c %= a | 1;
#endif
    return d + c;
}
