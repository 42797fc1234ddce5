// What an object can hold, for the reader's tests: see Makefile.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct event { __u32 pid; __u64 ts; char comm[16]; };

struct inner { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, __u32); __type(value, __u64); };
struct inner in_a SEC(".maps"), in_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 3);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { [0] = &in_a, [2] = &in_b } };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct event);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} events SEC(".maps");

struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } rb SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(int));
	__uint(value_size, sizeof(int));
} perf SEC(".maps");

int xdp_second(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} jt SEC(".maps") = { .values = { [1] = (void *)&xdp_second } };

const volatile __u32 limit = 7;
const volatile char prefix[8] = "abc";
__u64 hits;
__u32 start = 100;
static volatile __u64 hidden_count = 3;
static volatile __u64 hidden_zero;
__u64 tuned SEC(".data.tuned") = 5;

extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_BPF_SYSCALL __kconfig;
extern const void bpf_prog_put __ksym __weak;
extern const int bpf_absent_variable __ksym __weak;
extern int bpf_absent_kfunc(int x) __ksym __weak;

struct task_struct { int pid; int tgid; struct task_struct *real_parent; } __attribute__((preserve_access_index));
struct bits___mine { unsigned a:3, b:7; } __attribute__((preserve_access_index));
enum bpf_cmd___local { BPF_PROG_LOAD___local = 99 };

static __attribute__((noinline)) int twice(int x) { hidden_count += x; hidden_zero++; return x * 2; }
__attribute__((noinline)) int thrice(int x) { hits += x; return twice(x) + x; }

static long callback(__u32 i, void *ctx) { *(__u64 *)ctx += i; return 0; }

SEC("xdp")
int xdp_first(struct xdp_md *ctx)
{
	__u32 key = start;
	struct event *e = bpf_map_lookup_elem(&events, &key);
	if (e)
		e->ts += tuned + prefix[key & 7];
	bpf_tail_call(ctx, &jt, 1);
	return thrice(limit) > 10 ? XDP_PASS : XDP_DROP;
}

SEC("xdp")
int xdp_second(struct xdp_md *ctx)
{
	__u64 sum = 0;
	__u32 key = 0;
	void *m = bpf_map_lookup_elem(&outer, &key);
	if (m)
		bpf_map_update_elem(m, &key, &sum, 0);
	bpf_loop(4, callback, &sum, 0);
	return twice(sum) & 1 ? XDP_PASS : XDP_TX;
}

SEC("raw_tp/sys_enter")
int BPF_PROG(on_enter, void *regs, long id)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct event *e = bpf_ringbuf_reserve(&rb, sizeof(*e), 0);
	if (!e)
		return 0;
	e->pid = BPF_CORE_READ(task, real_parent, tgid) + bpf_core_enum_value(enum bpf_cmd___local, BPF_PROG_LOAD___local);
	e->ts = bpf_core_field_exists(task->tgid) + bpf_core_type_size(struct task_struct) +
		bpf_core_type_id_kernel(struct task_struct) + LINUX_KERNEL_VERSION + CONFIG_BPF_SYSCALL;
	if (&bpf_prog_put && &bpf_absent_variable && &bpf_absent_kfunc)
		e->ts += bpf_absent_kfunc(3);
	bpf_printk("pid %d", e->pid);
	bpf_ringbuf_submit(e, 0);
	return 0;
}
