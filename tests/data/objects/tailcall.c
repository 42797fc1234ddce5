#include "bpf.h"
struct { __uint(type, 3); __uint(max_entries, 8); __uint(key_size, 4); __uint(value_size, 4); } progs SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { tail_call(c, &progs, 3); tail_call(c, &progs, c->data & 7); return 2; }
