#include "bpf.h"
SEC("xdp") int f(struct xdp_md *c) {
    u8 a = prandom(); u16 b = prandom(); s8 d = prandom(); s16 e = prandom();
    a = a * 3 + b; b = b << 3; d = d >> 1; e = -e; a |= d; b ^= e;
    return (u8)(a + d) + (u16)(b - e) + (s8)b + (s16)a * 2;
}
