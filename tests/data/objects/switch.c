#include "bpf.h"
SEC("xdp") int f(struct xdp_md *c) {
    switch (c->ingress_ifindex) {
    case 0: return prandom(); case 1: return 7; case 2: return ktime(); case 3: return 9; case 9: return 1;
    case 100: return c->data; case 1000000: return 3; case 0xffffffff: return 8; default: return 2;
    }
}
