#include "bpf.h"
SEC("tc") int f(struct xdp_md *c) {
    u16 *p = (u16 *)(u64)c->data, *end = (u16 *)(u64)c->data_end; u32 sum = 0;
#pragma clang loop unroll(disable)
    for (int i = 0; i < 750 && p + 1 <= end; i++, p++) sum += *p;
    sum = (sum & 0xffff) + (sum >> 16); sum += sum >> 16;
    return (u16)~sum;
}
