#include "bpf.h"
struct list { struct list *next; int v; };
struct list a, b = {&a, 5};
static int (*volatile fn)(void);
SEC("xdp") int f(struct xdp_md *c) { int n = 0; struct list *l = &b; for (int i = 0; i < 3 && l; i++, l = l->next) n += l->v; return n; }
