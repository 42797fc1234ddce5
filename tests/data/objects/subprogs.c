#include "bpf.h"
static noinline int leaf(u64 a, u64 b) { return a * b + prandom(); }
noinline int global(u32 a) { return leaf(a, 3) + 1; }
static noinline u64 five(u64 a, u64 b, u64 c, u64 d, u64 e) { return a ^ b ^ c ^ d ^ e ^ ktime(); }
SEC("xdp") int f(struct xdp_md *c) { return global(c->data) + leaf(1, 2) + five(1, 2, 3, c->data, 5); }
SEC("tc") int g(struct xdp_md *c) { return global(7) - five(5, 4, 3, 2, 1); }
