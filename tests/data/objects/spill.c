#include "bpf.h"
SEC("xdp") int f(struct xdp_md *c) {
    u64 a = ktime(), b = ktime(), d = ktime(), e = ktime(), g = ktime(), h = ktime(), i = ktime(), j = ktime(), k = ktime();
    return prandom() + (a ^ b) * (d ^ e) + (g ^ h) * (i - j) + k + a * k;
}
