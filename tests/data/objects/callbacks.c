#include "bpf.h"
u64 total;
static int body(u32 i, u64 *sum) { *sum += i; total++; return i > 50; }
SEC("xdp") int f(struct xdp_md *c) { u64 sum = 0; loop(100, body, &sum, 0); return sum; }
