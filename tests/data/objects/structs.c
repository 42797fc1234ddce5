#include "bpf.h"
struct p { u32 x, y; }; struct q { struct p p[4]; u64 z; };
static noinline struct p *pick(struct q *q, u32 i) { return &q->p[i & 3]; }
SEC("xdp") int f(struct xdp_md *c) {
    struct q q = {{{1, 2}, {3, 4}, {5, 6}, {7, 8}}, 9}, r = q;
    r.p[2] = *pick(&q, c->data); pick(&r, 1)->y = prandom();
    return r.p[1].y + r.p[2].x + r.z;
}
