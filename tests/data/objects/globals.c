#include "bpf.h"
u64 counter; u32 limit = 77; static u8 flags[16]; const volatile u16 port = 53; static const u32 table[8] = {3, 1, 4, 1, 5, 9, 2, 6};
SEC("xdp") int f(struct xdp_md *c) {
    counter += limit; flags[prandom() & 15] ^= 1; limit = table[counter & 7];
    return port == flags[3] ? 1 : table[prandom() & 7];
}
