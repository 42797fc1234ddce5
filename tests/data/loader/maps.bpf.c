// Every ordinary kind of map, filled by one XDP program.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct event { __u32 len; __u32 cpu; __u64 count; };

struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64); __type(key, __u32); __type(value, struct event); } hash SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); } array SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 2); __type(key, __u32); __type(value, struct event); } percpu SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_LRU_HASH); __uint(max_entries, 16); __uint(key_size, 8); __uint(value_size, 4); } lru SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
	__u32 len = ctx->data_end - ctx->data, zero = 0, three = 3;
	struct event fresh = { .len = len, .count = 1 }, *seen;
	__u64 *total = bpf_map_lookup_elem(&array, &three), key = len;

	if (total)
		__sync_fetch_and_add(total, len);
	seen = bpf_map_lookup_elem(&hash, &len);
	if (seen)
		seen->count++;
	else
		bpf_map_update_elem(&hash, &len, &fresh, BPF_NOEXIST);
	seen = bpf_map_lookup_elem(&percpu, &zero);
	if (seen)
		seen->count++;
	bpf_map_update_elem(&lru, &key, &len, BPF_ANY);

	struct event *e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return XDP_ABORTED;
	*e = fresh;
	e->cpu = bpf_get_smp_processor_id();
	bpf_ringbuf_submit(e, 0);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
