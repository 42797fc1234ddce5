#include "bpf.h"
struct w { u64 v[8]; };
static noinline u64 mix(struct w *w) { u64 r = 0; for (int i = 0; i < 8; i++) r = r * 31 + w->v[i]; return r; }
SEC("lsm/file_open") int f(u64 *c) { struct w w = {{c[0], c[1], 3, 4, 5, 6, 7, ~0ull}}; w.v[c[0] & 7] = mix(&w); return mix(&w) ? -1 : 0; }
