#include "bpf.h"
struct s { u8 a; u16 b; u32 c; u64 d; s8 e; s16 g; s32 h; char n[16]; };
SEC("xdp") int f(struct xdp_md *c) {
    volatile struct s x = {1, 2, 3, 4, -5, -6, -7, "hello"};
    x.a += x.b; x.c = x.d; x.d = x.e; x.g = x.h; x.h = x.n[3]; x.n[7] = 0; x.b = 65535;
    return x.a + x.b + x.c + x.d + x.e + x.g + x.h;
}
