#include "bpf.h"
SEC("xdp") int f(struct xdp_md *c) {
    s32 a = prandom(), b = c->data; s64 d = ktime();
    int m = a < b ? a : b, n = d > a ? 5 : -7, o = a ? b : 3;
    return (m > n && o <= m) || (d == 0 && !b) ? m & n : o | (a != b);
}
