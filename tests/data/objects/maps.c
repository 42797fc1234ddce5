#include "bpf.h"
struct key { u32 a; u16 b, c; };
struct value { u64 n, bytes; char name[8]; };
struct { __uint(type, 1); __uint(max_entries, 1024); __type(key, struct key); __type(value, struct value); } hash SEC(".maps");
struct { __uint(type, 2); __uint(max_entries, 4); __type(key, u32); __type(value, u64); } array SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) {
    struct key k = {.a = prandom(), .b = 5};
    struct value *v = map_lookup(&hash, &k), new = {.n = 1, .name = "abc"};
    u32 zero = 0;
    u64 *n = map_lookup(&array, &zero);
    if (n) __sync_fetch_and_add(n, 1);
    if (v) { v->n++; v->bytes += c->data_end - c->data; return 2; }
    return map_update(&hash, &k, &new, 0);
}
