// What only the running kernel can fill in: its configuration, version, functions and symbols.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_BPF __kconfig __weak;
extern int CONFIG_HZ __kconfig __weak;
extern int CONFIG_NO_SUCH_SETTING __kconfig __weak;
extern const void bpf_no_such_symbol __ksym __weak;
extern void bpf_no_such_kfunc(void) __ksym __weak;

struct result { __u32 version, bpf, hz, none, symbol; } out;

SEC("xdp")
int look(struct xdp_md *ctx)
{
	out.version = LINUX_KERNEL_VERSION;
	out.bpf = CONFIG_BPF;
	out.hz = CONFIG_HZ;
	out.none = CONFIG_NO_SUCH_SETTING;
	out.symbol = &bpf_no_such_symbol != 0;
	if (bpf_no_such_kfunc)
		bpf_no_such_kfunc();
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
