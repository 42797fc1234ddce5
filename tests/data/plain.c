// An object without BTF: built without -g.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

static __attribute__((noinline)) int half(int x) { return x >> 1; }

SEC("socket")
int keep(struct __sk_buff *skb) { return half(skb->len); }

SEC("tracepoint/syscalls/sys_enter_openat")
int none(void *ctx) { return 0; }
