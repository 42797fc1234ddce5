#include "bpf.h"
SEC("kprobe/do_sys_open") int a(void *c) { return ktime() > 5; }
SEC("kretprobe/do_sys_open") int b(void *c) { return prandom(); }
SEC("socket") int d(void *c) { return -1; }
SEC("cgroup_skb/egress") int e(void *c) { return 1; }
SEC("?raw_tp/sys_enter") int g(u64 *c) { return c[0] + c[1]; }
SEC("perf_event") int h(void *c) { return 0; }
