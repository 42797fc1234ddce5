#include "bpf.h"
SEC("tracepoint/syscalls/sys_enter_openat") int f(void *c) {
    char fmt[] = "pid %d did %s\n"; static const char other[] = "opened";
    trace_printk(fmt, sizeof fmt, (u32)(pid_tgid() >> 32), other);
    trace_printk("plain", 6);
    return 0;
}
