// CO-RE: fields, absence, sizes, enumerators and bit-fields of the running kernel's types.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define KERNEL __attribute__((preserve_access_index))

struct task_struct { int pid; int tgid; struct task_struct *real_parent; char comm[16]; } KERNEL;
struct task_struct___old { long state; } KERNEL;
struct task_struct___none { int no_such_field_here; } KERNEL;
struct iphdr_with_bits { int x; } KERNEL;
enum bpf_map_type___far { BPF_MAP_TYPE_HASH___far = 77, BPF_MAP_TYPE_NOWHERE___far = 78 };

struct result { __u32 tgid, parent, size, has_none, has_pid, hash, has_nowhere, has_struct; char comm[16]; } out;

SEC("raw_tp/sys_enter")
int look(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	out.tgid = BPF_CORE_READ(task, tgid);
	out.parent = BPF_CORE_READ(task, real_parent, tgid);
	BPF_CORE_READ_INTO(&out.comm, task, comm);
	out.size = bpf_core_type_size(struct task_struct) > 1000;
	out.has_none = bpf_core_field_exists(struct task_struct___none, no_such_field_here);
	out.has_pid = bpf_core_field_exists(task->pid);
	out.hash = bpf_core_enum_value(enum bpf_map_type___far, BPF_MAP_TYPE_HASH___far);
	out.has_nowhere = bpf_core_enum_value_exists(enum bpf_map_type___far, BPF_MAP_TYPE_NOWHERE___far);
	out.has_struct = bpf_core_type_exists(struct task_struct) + 2 * bpf_core_type_exists(struct iphdr_with_bits);
	if (bpf_core_field_exists(struct task_struct___none, no_such_field_here)) {
		struct task_struct___none *none = (void *)task;

		out.tgid = BPF_CORE_READ(none, no_such_field_here); // poisoned, and never reached
	}
	return out.tgid;
}

char LICENSE[] SEC("license") = "GPL";
