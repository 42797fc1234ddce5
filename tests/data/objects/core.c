#include "bpf.h"
struct task { int pid; struct task *parent; char comm[16]; } __attribute__((preserve_access_index));
static long (*probe_read)(void *dst, u32 size, const void *src) = (void *)113;
SEC("kprobe/do_exit") int f(void *c) {
    struct task *t = (void *)ktime(), *p = 0; int pid = 0;
    probe_read(&p, sizeof p, &t->parent); if (p) probe_read(&pid, 4, &p->pid);
    return pid + sizeof(t->comm);
}
