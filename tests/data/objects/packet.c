#include "bpf.h"
struct eth { u8 dst[6], src[6]; u16 proto; } __attribute__((packed));
struct ip { u8 ihl : 4, version : 4; u8 tos; u16 len, id, off; u8 ttl, proto; u16 sum; u32 src, dst; };
SEC("xdp") int f(struct xdp_md *c) {
    u8 *p = (u8 *)(u64)c->data, *end = (u8 *)(u64)c->data_end;
    struct eth *e = (void *)p;
    struct ip *i = (void *)(e + 1);
    if ((u8 *)(i + 1) > end) return 1;
    if (e->proto != __builtin_bswap16(0x800)) return 2;
    if (i->version != 4 || i->ihl < 5) return 1;
    __builtin_memcpy(e->dst, e->src, 6);
    i->ttl--;
    return i->proto == 17 ? 1 : 2;
}
