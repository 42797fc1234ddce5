#include "bpf.h"
#define X8(s) s s s s s s s s
SEC("xdp") int f(struct xdp_md *c) {
    u64 v = 0;
    if (c->data > 5) { X8(X8(v += ktime() * 3; v ^= c->data_end; if (v & 4) v += prandom();)) }
    return v;
}
