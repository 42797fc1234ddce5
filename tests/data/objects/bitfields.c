#include "bpf.h"
struct b { u32 a : 3, b : 7, c : 22; s64 d : 40, e : 24; u8 f : 1; };
struct b g;
SEC("xdp") int f(struct xdp_md *c) { g.a = c->data; g.b += 5; g.c ^= g.a; g.d = -prandom(); g.e--; g.f = !g.f; return g.d + g.e + g.b; }
