// Global data of every kind, static and global subprograms.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 limit = 10;
const volatile char label[8] = "abc";
volatile __u64 start = 1000;
__u64 hits;
static volatile __u64 hidden;
volatile struct { __u16 a; __u8 b[3]; } packed = { 1, { 2, 3, 4 } };

static __attribute__((noinline)) __u64 twice(__u64 x)
{
	hidden += x;
	return x * 2 + (hidden & 1);
}

__attribute__((noinline)) int add(__u32 a, __u32 b)
{
	return a + b + (int)hidden;
}

SEC("xdp")
int run(struct xdp_md *ctx)
{
	__u64 sum = start;

	hits++;
	hidden = 0;
	for (__u32 i = 0; i < 100 && i < limit; i++)
		sum += twice(i);
	hidden = 0;
	return add(sum, packed.a + packed.b[2]);
}

SEC("tc")
int tail(struct __sk_buff *skb)
{
	return add(skb->len, limit);
}

char LICENSE[] SEC("license") = "GPL";
