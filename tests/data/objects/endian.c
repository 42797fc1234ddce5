#include "bpf.h"
SEC("xdp") int f(struct xdp_md *c) {
    u64 a = ktime(); u32 b = prandom(); u16 d = c->data;
    return __builtin_bswap64(a) ^ __builtin_bswap32(b) ^ __builtin_bswap16(d);
}
