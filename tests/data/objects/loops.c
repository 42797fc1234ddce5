#include "bpf.h"
SEC("xdp") int f(struct xdp_md *c) {
    u64 sum = 0;
#pragma clang loop unroll(disable)
    for (int i = 0; i < 100; i++) sum += (sum << 3) ^ i * prandom();
    for (int i = 0; i < 4; i++) sum = (sum >> 7) | (sum << 57);
    return sum;
}
