#include "bpf.h"
u8 from[64], to[64];
SEC("xdp") int f(struct xdp_md *c) {
    __builtin_memcpy(to, from, 37); __builtin_memset(from + 8, 0xab, 24); __builtin_memmove(to + 1, to, 8);
    return __builtin_memcmp(from, to, 4);
}
