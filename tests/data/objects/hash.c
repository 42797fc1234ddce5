#include "bpf.h"
static always_inline u32 rol(u32 x, int n) { return x << n | x >> (32 - n); }
SEC("xdp") int f(struct xdp_md *c) {
    u32 h = 0x9e3779b9; u8 *p = (u8 *)(u64)c->data, *end = (u8 *)(u64)c->data_end;
    for (int i = 0; i < 16; i++) { if (p + i + 1 > end) break; h = rol(h ^ p[i], 13) * 5 + 0xe6546b64; }
    h ^= h >> 16; h *= 0x85ebca6b; return h ^ h >> 13;
}
