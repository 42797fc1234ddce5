#include "bpf.h"
SEC("xdp") int f(struct xdp_md *c) {
    u64 a = ktime(), b = prandom();
    u32 x = a, y = b;
    a += b * 3; a -= b >> 3; a ^= b << 5; a |= b & 0xff00; a %= b | 1; a /= y | 1;
    x += y * 7; x -= y >> 2; x ^= y << 9; x |= y & 0x0f; x %= y | 1; x /= 10;
    return a + x + -(s64)b;
}
