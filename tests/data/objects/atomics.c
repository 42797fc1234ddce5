#include "bpf.h"
u64 a; u32 b;
SEC("xdp") int f(struct xdp_md *c) {
    __sync_fetch_and_add(&a, 5); __sync_fetch_and_add(&b, 6);
#if CPU >= 3
    u64 r = __sync_fetch_and_add(&a, 7); r += __sync_fetch_and_or(&a, 0xf0); r ^= __sync_fetch_and_and(&b, r);
    __sync_fetch_and_xor(&a, r); r += __sync_lock_test_and_set(&a, 9); r += __sync_val_compare_and_swap(&b, 1, 2);
    r += __sync_val_compare_and_swap(&a, r, 3); r += __sync_lock_test_and_set(&b, 4);
    return r + __sync_fetch_and_sub(&b, 3);
#else
    return 0;
#endif
}
