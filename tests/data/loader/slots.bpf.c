// Initial slots: tail calls through a program array, maps in maps.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 2); __type(key, __u32); __type(value, __u64); };
struct inner first SEC(".maps"), second SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 4); __type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { &first, 0, &second } };

int last(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 3); __type(key, __u32);
	__array(values, int(void *));
} jumps SEC(".maps") = { .values = { [1] = (void *)&last } };

SEC("xdp")
int begin(struct xdp_md *ctx)
{
	__u32 two = 2, one = 1;
	void *in = bpf_map_lookup_elem(&outer, &two);
	__u64 *value = in ? bpf_map_lookup_elem(in, &one) : 0;

	if (value)
		*value += 5;
	bpf_tail_call(ctx, &jumps, 1);
	return XDP_ABORTED;
}

SEC("xdp")
int last(struct xdp_md *ctx)
{
	return 42;
}

SEC("?xdp")
int optional(struct xdp_md *ctx)
{
	return XDP_DROP;
}

char LICENSE[] SEC("license") = "GPL";
