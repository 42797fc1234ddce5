// The arguments of a USDT probe, by the header that clang's users have.
#include <linux/ptrace.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#define __TARGET_ARCH_x86
#include <bpf/usdt.bpf.h>

__u64 hits;
long seen[5];
long cookie;

SEC("usdt")
int BPF_USDT(on_hit, int a, long b, long c, int d, short e)
{
	seen[0] = a;
	seen[1] = b;
	seen[2] = c;
	seen[3] = d;
	seen[4] = e;
	cookie = bpf_usdt_cookie(ctx);
	__sync_fetch_and_add(&hits, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
