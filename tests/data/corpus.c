// Small programs, one a feature; `//// name` begins each. Compiled one by one by tests/elf/corpus.py, behind its prelude.
//// ret0
SEC("xdp") int f(struct xdp_md *c) { return XDP_PASS; }
//// ret_big
SEC("socket") int f(struct __sk_buff *s) { return 0x7fffffff; }
//// hash_u32
MAP(m, BPF_MAP_TYPE_HASH, u32, u64, 16);
SEC("xdp") int f(struct xdp_md *c) { u32 k = 1; u64 v = 2; bpf_map_update_elem(&m, &k, &v, BPF_ANY); return 2; }
//// lru_hash
MAP(m, BPF_MAP_TYPE_LRU_HASH, u64, u32, 64);
SEC("xdp") int f(struct xdp_md *c) { u64 k = 1; u32 *v = bpf_map_lookup_elem(&m, &k); return v ? *v : 0; }
//// percpu_hash
MAP(m, BPF_MAP_TYPE_PERCPU_HASH, u32, u64, 8);
SEC("xdp") int f(struct xdp_md *c) { u32 k = 1; bpf_map_delete_elem(&m, &k); return 1; }
//// lru_percpu
MAP(m, BPF_MAP_TYPE_LRU_PERCPU_HASH, u32, u64, 8);
SEC("xdp") int f(struct xdp_md *c) { u32 k = 1; u64 *v = bpf_map_lookup_elem(&m, &k); if (v) ++*v; return 1; }
//// percpu_array
MAP(m, BPF_MAP_TYPE_PERCPU_ARRAY, u32, u64, 2);
SEC("xdp") int f(struct xdp_md *c) { u32 k = 1; u64 *v = bpf_map_lookup_elem(&m, &k); if (v) *v += c->data_end - c->data; return 1; }
//// array_struct
struct v { u64 a; u32 b[3]; u16 c; u8 d; };
MAP(m, BPF_MAP_TYPE_ARRAY, u32, struct v, 4);
SEC("tc") int f(struct __sk_buff *s) { u32 k = 2; struct v *v = bpf_map_lookup_elem(&m, &k); if (!v) return 1; v->a++; v->b[1] = s->len; v->c = 3; return 0; }
//// lpm
struct key { u32 len; u32 addr; };
struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __uint(max_entries, 8); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, struct key); __type(value, u32); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { struct key k = { 32, c->rx_queue_index }; u32 *v = bpf_map_lookup_elem(&m, &k); return v ? *v : 2; }
//// queue
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 8); __uint(key_size, 0); __uint(value_size, 8); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { u64 v = 5; bpf_map_push_elem(&m, &v, 0); return bpf_map_pop_elem(&m, &v); }
//// stack
struct { __uint(type, BPF_MAP_TYPE_STACK); __uint(max_entries, 8); __uint(key_size, 0); __type(value, u64); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { u64 v = 5; bpf_map_peek_elem(&m, &v); return v; }
//// bloom
struct { __uint(type, BPF_MAP_TYPE_BLOOM_FILTER); __uint(max_entries, 8); __type(value, u64); __uint(map_extra, 3); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { u64 v = 5; return bpf_map_peek_elem(&m, &v); }
//// ringbuf
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { u64 *e = bpf_ringbuf_reserve(&m, 8, 0); if (!e) return 1; *e = 3; bpf_ringbuf_submit(e, 0); return 2; }
//// ringbuf_output
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 8192); } m SEC(".maps");
SEC("tc") int f(struct __sk_buff *s) { u32 x[4] = { s->len }; bpf_ringbuf_output(&m, x, sizeof x, 0); return 0; }
//// perf
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { u64 x = 3; bpf_perf_event_output(c, &m, BPF_F_CURRENT_CPU, &x, 8); return 2; }
//// prog_array
int g(struct xdp_md *c);
struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 4); __uint(key_size, 4); __array(values, int(void *)); } m SEC(".maps") = { .values = { [3] = (void *)&g } };
SEC("xdp") int g(struct xdp_md *c) { return 7; }
SEC("xdp") int f(struct xdp_md *c) { bpf_tail_call(c, &m, 3); return 1; }
//// maps_of_maps
struct in { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, u32); } one SEC(".maps"), two SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __uint(max_entries, 4); __type(key, u32); __array(values, struct in); } m SEC(".maps") = { .values = { [1] = &one, [2] = &two } };
SEC("xdp") int f(struct xdp_md *c) { u32 k = 1; void *i = bpf_map_lookup_elem(&m, &k); if (!i) return 0; u32 z = 0, *v = bpf_map_lookup_elem(i, &z); return v ? *v + 3 : 1; }
//// array_of_maps
struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 4); __type(key, u32); __array(values, struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8); __type(key, u32); __type(value, u64); }); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { u32 k = 1; return bpf_map_lookup_elem(&m, &k) ? 1 : 2; }
//// stack_trace
struct { __uint(type, BPF_MAP_TYPE_STACK_TRACE); __uint(max_entries, 8); __uint(key_size, 4); __uint(value_size, 80); } m SEC(".maps");
SEC("raw_tp/sys_enter") int f(void *c) { return bpf_get_stackid(c, &m, 0) < 0; }
//// task_storage
struct { __uint(type, BPF_MAP_TYPE_TASK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, u64); } m SEC(".maps");
SEC("tp_btf/sys_enter") int f(u64 *c) { struct task_struct *t = bpf_get_current_task_btf(); u64 *v = bpf_task_storage_get(&m, t, 0, 1); if (v) ++*v; return 0; }
//// sk_storage
struct { __uint(type, BPF_MAP_TYPE_SK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int); __type(value, u64); } m SEC(".maps");
SEC("cgroup_skb/egress") int f(struct __sk_buff *s) { struct bpf_sock *k = s->sk; if (!k) return 1; u64 *v = bpf_sk_storage_get(&m, k, 0, 1); if (v) ++*v; return 1; }
//// devmap
struct { __uint(type, BPF_MAP_TYPE_DEVMAP); __uint(max_entries, 4); __type(key, u32); __type(value, u32); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { return bpf_redirect_map(&m, 1, XDP_DROP); }
//// cpumap
struct { __uint(type, BPF_MAP_TYPE_CPUMAP); __uint(max_entries, 4); __type(key, u32); __type(value, u32); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { return bpf_redirect_map(&m, 0, XDP_PASS); }
//// xskmap
struct { __uint(type, BPF_MAP_TYPE_XSKMAP); __uint(max_entries, 4); __type(key, u32); __type(value, u32); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { return bpf_redirect_map(&m, c->rx_queue_index, XDP_PASS); }
//// sockmap
struct { __uint(type, BPF_MAP_TYPE_SOCKMAP); __uint(max_entries, 4); __type(key, u32); __type(value, u32); } m SEC(".maps");
SEC("sk_skb/stream_verdict") int f(struct __sk_buff *s) { return bpf_sk_redirect_map(s, &m, 0, 0); }
//// sockhash
struct { __uint(type, BPF_MAP_TYPE_SOCKHASH); __uint(max_entries, 4); __type(key, u64); __type(value, u64); } m SEC(".maps");
SEC("sockops") int f(struct bpf_sock_ops *o) { u64 k = 1; return bpf_sock_hash_update(o, &m, &k, 0) == 0; }
//// reuseport
struct { __uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY); __uint(max_entries, 4); __type(key, u32); __type(value, u64); } m SEC(".maps");
SEC("sk_reuseport") int f(struct sk_reuseport_md *r) { u32 k = 0; return bpf_sk_select_reuseport(r, &m, &k, 0) ? SK_DROP : SK_PASS; }
//// cgroup_array
struct { __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY); __uint(max_entries, 4); __type(key, u32); __type(value, u32); } m SEC(".maps");
SEC("tc") int f(struct __sk_buff *s) { return bpf_skb_under_cgroup(s, &m, 0); }
//// user_ringbuf
struct { __uint(type, BPF_MAP_TYPE_USER_RINGBUF); __uint(max_entries, 4096); } m SEC(".maps");
static long cb(struct bpf_dynptr *d, void *x) { return 0; }
SEC("raw_tp/sys_enter") int f(void *c) { return bpf_user_ringbuf_drain(&m, cb, 0, 0); }
//// pinned
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, u32); __uint(pinning, LIBBPF_PIN_BY_NAME); } pinned_corpus SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { u32 k = 0, *v = bpf_map_lookup_elem(&pinned_corpus, &k); return v ? ++*v : 0; }
//// flags_mmap
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(map_flags, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG); __uint(max_entries, 9); __type(key, u32); __type(value, u64); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { u32 k = 0; u64 *v = bpf_map_lookup_elem(&m, &k); return v ? *v : 0; }
//// numa
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(map_flags, BPF_F_NUMA_NODE); __uint(numa_node, 0); __uint(max_entries, 9); __type(key, u32); __type(value, u64); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { u32 k = 0; return bpf_map_lookup_elem(&m, &k) != 0; }
//// static_map
static struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, u32); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { u32 k = 0, *v = bpf_map_lookup_elem(&m, &k); return v ? *v : 0; }
//// spin_lock
struct v { struct bpf_spin_lock l; int n; };
MAP(m, BPF_MAP_TYPE_ARRAY, u32, struct v, 1);
SEC("tc") int f(struct __sk_buff *s) { u32 k = 0; struct v *v = bpf_map_lookup_elem(&m, &k); if (!v) return 0; bpf_spin_lock(&v->l); v->n++; bpf_spin_unlock(&v->l); return 0; }
//// timer
struct v { struct bpf_timer t; };
MAP(m, BPF_MAP_TYPE_ARRAY, u32, struct v, 1);
static int cb(void *map, u32 *k, struct v *v) { return 0; }
SEC("tc") int f(struct __sk_buff *s) { u32 k = 0; struct v *v = bpf_map_lookup_elem(&m, &k); if (!v) return 0; bpf_timer_init(&v->t, &m, 1); bpf_timer_set_callback(&v->t, cb); bpf_timer_start(&v->t, 1000, 0); return 0; }
//// for_each
MAP(m, BPF_MAP_TYPE_HASH, u32, u64, 4);
static long each(void *map, u32 *k, u64 *v, long *sum) { *sum += *v; return 0; }
SEC("tc") int f(struct __sk_buff *s) { long sum = 0; bpf_for_each_map_elem(&m, each, &sum, 0); return sum; }
//// bpf_loop
static long step(u32 i, long *sum) { *sum += i; return 0; }
SEC("tc") int f(struct __sk_buff *s) { long sum = 0; bpf_loop(10, step, &sum, 0); return sum; }
//// globals
int a = 1, b; const volatile int k = 5; static int s1 = 3, s2; u64 big[4] = { 1, 2, 3, 4 };
SEC("xdp") int f(struct xdp_md *c) { b += a + k; s1++; s2 += s1; return big[2] + s2; }
//// custom_sections
int a SEC(".data.one") = 1; int b SEC(".data.two") = 2; const int k SEC(".rodata.x") = 9; int z SEC(".bss.y");
SEC("xdp") int f(struct xdp_md *c) { z += a; b += z; return b + *(volatile int *)&k; }
//// strings
SEC("raw_tp/sys_enter") int f(void *c) { bpf_printk("hello %d %s", 1, "world"); return 0; }
//// local_strings
SEC("raw_tp/sys_enter") int f(void *c) { char t[] = "a longer text of the stack"; bpf_trace_printk(t, sizeof t); return 0; }
//// string_table
static const char *const names[] = { "one", "two" };
SEC("xdp") int f(struct xdp_md *c) { const char *volatile *p = (void *)names; return p[0] != 0; }
//// rodata_array
static const volatile u16 table[5] = { 1, 2, 3, 4, 5 };
SEC("xdp") int f(struct xdp_md *c) { return table[c->rx_queue_index % 5]; }
//// static_function
static __noinline int g(int x) { return x * 3; }
SEC("xdp") int f(struct xdp_md *c) { return g(c->rx_queue_index); }
//// global_function
__noinline int g(int x) { return x * 3; }
SEC("xdp") int f(struct xdp_md *c) { return g(c->rx_queue_index) + g(2); }
//// global_pointer
__noinline int g(struct xdp_md *c) { return c->rx_queue_index; }
SEC("xdp") int f(struct xdp_md *c) { return g(c); }
//// weak_function
__weak int g(int x) { return x + 1; }
SEC("xdp") int f(struct xdp_md *c) { return g(4); }
//// hidden_function
__hidden __noinline int g(int x) { return x + 1; }
SEC("xdp") int f(struct xdp_md *c) { return g(4); }
//// deep_calls
static __noinline int d(int x) { return x + 1; } static __noinline int e(int x) { return d(x) + d(x + 1); }
__noinline int g(int x) { return e(x) * 2; }
SEC("xdp") int f(struct xdp_md *c) { return g(4) + e(2); }
//// shared_function
static __noinline int g(int x) { return x * x; }
SEC("xdp") int f(struct xdp_md *c) { return g(3); }
SEC("tc") int h(struct __sk_buff *s) { return g(s->len); }
//// many_programs
SEC("xdp") int a(struct xdp_md *c) { return 0; }
SEC("xdp") int b(struct xdp_md *c) { return 1; }
SEC("tc") int d(struct __sk_buff *s) { return 2; }
SEC("socket") int e(struct __sk_buff *s) { return 3; }
SEC("cgroup/skb") int g(struct __sk_buff *s) { return 1; }
//// optional
SEC("?xdp") int a(struct xdp_md *c) { return 0; }
SEC("xdp") int b(struct xdp_md *c) { return 1; }
//// frags
SEC("xdp.frags") int f(struct xdp_md *c) { return bpf_xdp_get_buff_len(c); }
//// packet
SEC("xdp") int f(struct xdp_md *c) { unsigned char *d = (void *)(long)c->data, *e = (void *)(long)c->data_end; if (d + 34 > e) return XDP_DROP; return d[12] == 8 && d[23] == 17 ? XDP_PASS : XDP_TX; }
//// packet_write
SEC("tc") int f(struct __sk_buff *s) { u8 mac[6] = { 1, 2, 3, 4, 5, 6 }; bpf_skb_store_bytes(s, 0, mac, 6, 0); return bpf_skb_change_proto(s, 0, 0); }
//// direct_write
SEC("tc") int f(struct __sk_buff *s) { u8 *d = (void *)(long)s->data; if ((void *)(d + 14) > (void *)(long)s->data_end) return 0; d[0] ^= 1; s->mark = 5; s->cb[1] = 3; return 0; }
//// checksum
SEC("tc") int f(struct __sk_buff *s) { u32 a = 1, b = 2; return bpf_csum_diff(&a, 4, &b, 4, 0) & 0xffff; }
//// switch
SEC("xdp") int f(struct xdp_md *c) { switch (c->rx_queue_index) { case 0: return 5; case 1: return 9; case 7: return 2; case 100: return 3; case 1000: return 6; default: return 1; } }
//// loop
SEC("xdp") int f(struct xdp_md *c) { int s = 0; for (int i = 0; i < 100; i++) { s += i * c->rx_queue_index; asm volatile("" : "+r"(s)); } return s; }
//// nested_loop
SEC("xdp") int f(struct xdp_md *c) { volatile int s = 0; for (int i = 0; i < 8; i++) for (int j = 0; j < i; j++) s += i ^ j; return s; }
//// arithmetic
SEC("xdp") int f(struct xdp_md *c) { u64 x = c->rx_queue_index; x = x * 7 + 3; x ^= x >> 5; x %= 1000; x /= 3; x <<= 2; return x & 0xff; }
//// arithmetic32
SEC("xdp") int f(struct xdp_md *c) { u32 x = c->rx_queue_index; x = -x * 7; x |= 8; x ^= x >> 5; x %= 1000; x /= 3; return (int)x >> 2; }
//// wide_constant
SEC("xdp") int f(struct xdp_md *c) { volatile u64 x = 0x123456789abcdef0ull; return x >> 40; }
//// byte_swap
SEC("xdp") int f(struct xdp_md *c) { u32 x = c->rx_queue_index; return __builtin_bswap16(x) + __builtin_bswap32(x) + (int)__builtin_bswap64(x); }
//// atomics
u64 n; u32 m;
SEC("xdp") int f(struct xdp_md *c) { __sync_fetch_and_add(&n, 1); __sync_fetch_and_add(&m, 2); return 0; }
//// stack_use
SEC("xdp") int f(struct xdp_md *c) { u64 t[40]; for (int i = 0; i < 40; i++) t[i] = i * c->rx_queue_index; volatile u64 *p = t; return p[7] + p[33]; }
//// struct_copy
struct big { u64 a[6]; }; struct big g, h;
SEC("xdp") int f(struct xdp_md *c) { g = h; g.a[2]++; return g.a[2]; }
//// bit_fields
struct bits { u32 a : 3, b : 7, d : 22; } g;
SEC("xdp") int f(struct xdp_md *c) { g.b = c->rx_queue_index; g.a++; return g.d + g.b; }
//// unions
union u { u32 a; u8 b[4]; struct { u16 x, y; }; } g;
SEC("xdp") int f(struct xdp_md *c) { g.a = c->rx_queue_index; return g.b[1] + g.y; }
//// enums
enum e { ONE = 1, BIG = 70000 } g = BIG; enum neg { MINUS = -5 } h = MINUS;
SEC("xdp") int f(struct xdp_md *c) { g = ONE; return h; }
//// enum64
enum wide { W = 0x100000000ull } g = W;
SEC("xdp") int f(struct xdp_md *c) { return g == W; }
//// typedefs
typedef struct { int x; } T; typedef T *P; typedef int (*fn)(int); T g; P p; fn q;
SEC("xdp") int f(struct xdp_md *c) { g.x++; return g.x + (p != 0) + (q != 0); }
//// recursive_types
struct node { struct node *next; struct other *o; int v; } g; struct other { struct node n; } h;
SEC("xdp") int f(struct xdp_md *c) { g.v++; return h.n.v; }
//// packed
struct p { u8 a; u32 b; u16 c; } __attribute__((packed)) g;
SEC("xdp") int f(struct xdp_md *c) { g.b++; return g.c; }
//// aligned
struct p { u8 a; } __attribute__((aligned(32))) g; u8 x; u64 y __attribute__((aligned(64)));
SEC("xdp") int f(struct xdp_md *c) { g.a++; x++; y++; return g.a; }
//// floats_in_types
struct p { float a; double b; int c; } g;
SEC("xdp") int f(struct xdp_md *c) { return g.c++; }
//// bool_char
_Bool flag; char c1 = 'x'; signed char c2 = -3; char text[12] = "hello";
SEC("xdp") int f(struct xdp_md *c) { flag = !flag; return flag + c1 + c2 + text[1]; }
//// decl_tags
#define TAG __attribute__((btf_decl_tag("tag")))
struct t { int a TAG; } TAG g TAG;
SEC("xdp") int f(struct xdp_md *c) { return g.a++; }
//// type_tags
struct t { int __attribute__((btf_type_tag("user"))) *p; } g;
SEC("xdp") int f(struct xdp_md *c) { return g.p != 0; }
//// ksym_int
extern const int bpf_prog_active __ksym __weak;
SEC("raw_tp/sys_enter") int f(void *c) { return &bpf_prog_active != 0; }
//// ksym_void
extern const void init_task __ksym; extern const void no_such_symbol_here __ksym __weak;
SEC("raw_tp/sys_enter") int f(void *c) { return (long)&init_task == (long)&no_such_symbol_here; }
//// kconfig
extern int LINUX_KERNEL_VERSION __kconfig; extern _Bool CONFIG_NO_SUCH __kconfig __weak;
SEC("xdp") int f(struct xdp_md *c) { return LINUX_KERNEL_VERSION + CONFIG_NO_SUCH; }
//// kfunc
extern void bpf_rcu_read_lock(void) __ksym; extern void bpf_rcu_read_unlock(void) __ksym;
SEC("tc") int f(struct __sk_buff *s) { bpf_rcu_read_lock(); bpf_rcu_read_unlock(); return 0; }
//// weak_kfunc
extern int bpf_no_such_function(int) __ksym __weak;
SEC("tc") int f(struct __sk_buff *s) { return bpf_no_such_function ? bpf_no_such_function(1) : 3; }
//// missing_kfunc
extern int bpf_no_such_function(int) __ksym;
SEC("tc") int f(struct __sk_buff *s) { return bpf_no_such_function(1); }
//// wrong_kfunc
extern int bpf_rcu_read_lock(int, void *) __ksym;
SEC("tc") int f(struct __sk_buff *s) { return bpf_rcu_read_lock(1, s); }
//// core_offset
struct task_struct { int pid, tgid; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int f(void *c) { struct task_struct *t = (void *)bpf_get_current_task(); int pid = 0; bpf_probe_read_kernel(&pid, 4, &t->pid); return pid != 0; }
//// core_direct
struct task_struct { int pid, tgid; } __attribute__((preserve_access_index));
SEC("tp_btf/sys_enter") int f(u64 *c) { struct task_struct *t = bpf_get_current_task_btf(); return t->pid == t->tgid; }
//// core_exists
struct task_struct { int pid, no_such_field; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int f(void *c) { struct task_struct *t = (void *)bpf_get_current_task(); return __builtin_preserve_field_info(t->no_such_field, 2) + 2 * __builtin_preserve_field_info(t->pid, 2); }
//// core_guarded
struct task_struct { int pid, no_such_field; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int f(void *c) { struct task_struct *t = (void *)bpf_get_current_task(); int v = 0; if (__builtin_preserve_field_info(t->no_such_field, 2)) bpf_probe_read_kernel(&v, 4, &t->no_such_field); return v; }
//// core_poison
struct task_struct { int pid, no_such_field; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int f(void *c) { struct task_struct *t = (void *)bpf_get_current_task(); int v = 0; bpf_probe_read_kernel(&v, 4, &t->no_such_field); return v; }
//// core_size
struct task_struct { char comm[16]; unsigned int flags; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int f(void *c) { struct task_struct *t = 0; return __builtin_preserve_field_info(t->comm, 1) + __builtin_preserve_field_info(t->flags, 3); }
//// core_types
struct task_struct { int pid; }; struct no_such_type { int x; };
SEC("raw_tp/sys_enter") int f(void *c) { return __builtin_preserve_type_info(*(struct task_struct *)0, 0) + 2 * __builtin_preserve_type_info(*(struct no_such_type *)0, 0) + __builtin_preserve_type_info(*(struct task_struct *)0, 1); }
//// core_type_id
struct task_struct { int pid; };
SEC("raw_tp/sys_enter") int f(void *c) { return __builtin_btf_type_id(*(struct task_struct *)0, 0) + (__builtin_btf_type_id(*(struct task_struct *)0, 1) > 0); }
//// core_enum
enum bpf_func_id___x { BPF_FUNC_map_lookup_elem___x = 1, BPF_FUNC_no_such___x = 999 };
SEC("raw_tp/sys_enter") int f(void *c) { return __builtin_preserve_enum_value(*(typeof(enum bpf_func_id___x) *)BPF_FUNC_map_lookup_elem___x, 1) + __builtin_preserve_enum_value(*(typeof(enum bpf_func_id___x) *)BPF_FUNC_no_such___x, 0); }
//// core_flavour
struct task_struct___old { int pid; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int f(void *c) { struct task_struct___old *t = (void *)bpf_get_current_task(); int pid = 0; bpf_probe_read_kernel(&pid, 4, &t->pid); return pid; }
//// core_array
struct task_struct { char comm[16]; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int f(void *c) { struct task_struct *t = (void *)bpf_get_current_task(); char x = 0; bpf_probe_read_kernel(&x, 1, &t->comm[3]); return x; }
//// core_nested
struct task_struct { struct task_struct *real_parent; int pid; } __attribute__((preserve_access_index));
SEC("tp_btf/sys_enter") int f(u64 *c) { struct task_struct *t = bpf_get_current_task_btf(); return t->real_parent->real_parent->pid; }
//// core_bit_field
struct sk_buff { u8 pkt_type : 3; } __attribute__((preserve_access_index));
SEC("raw_tp/sys_enter") int f(void *c) { struct sk_buff *s = 0; return __builtin_preserve_field_info(s->pkt_type, 4) + __builtin_preserve_field_info(s->pkt_type, 5) + __builtin_preserve_field_info(s->pkt_type, 1); }
//// tracepoint
SEC("tracepoint/syscalls/sys_enter_openat") int f(void *c) { return 0; }
//// tp_short
SEC("tp/sched/sched_switch") int f(void *c) { return 0; }
//// raw_tp
SEC("raw_tracepoint/sched_switch") int f(struct bpf_raw_tracepoint_args *c) { return c->args[0] != 0; }
//// kprobe
SEC("kprobe/do_nanosleep") int f(void *c) { return 0; }
//// kretprobe
SEC("kretprobe/do_nanosleep") int f(void *c) { return 0; }
//// kprobe_multi
SEC("kprobe.multi/tcp_*") int f(void *c) { return 0; }
//// uprobe
SEC("uprobe//bin/true:main") int f(void *c) { return 0; }
//// ksyscall
SEC("ksyscall/nanosleep") int f(void *c) { return 0; }
//// perf_event
SEC("perf_event") int f(void *c) { return 0; }
//// fentry
SEC("fentry/bpf_fentry_test1") int f(u64 *c) { return 0; }
//// lsm
SEC("lsm/file_open") int f(u64 *c) { return 0; }
//// iter
SEC("iter/task") int f(u64 *c) { return 0; }
//// cgroup_hooks
SEC("cgroup/connect4") int a(struct bpf_sock_addr *c) { return 1; }
SEC("cgroup/sock_create") int b(struct bpf_sock *c) { return 1; }
SEC("cgroup/sysctl") int d(struct bpf_sysctl *c) { return 1; }
SEC("cgroup/getsockopt") int e(struct bpf_sockopt *c) { return 1; }
SEC("cgroup/dev") int g(struct bpf_cgroup_dev_ctx *c) { return 1; }
//// sk_msg
SEC("sk_msg") int f(struct sk_msg_md *m) { return SK_PASS; }
//// sk_lookup
SEC("sk_lookup") int f(struct bpf_sk_lookup *l) { return SK_PASS; }
//// flow_dissector
SEC("flow_dissector") int f(struct __sk_buff *s) { return 0; }
//// lwt
SEC("lwt_in") int f(struct __sk_buff *s) { return 0; }
SEC("lwt_xmit") int g(struct __sk_buff *s) { return 0; }
//// syscall
SEC("syscall") int f(void *c) { return 0; }
//// tcx
SEC("tcx/ingress") int f(struct __sk_buff *s) { return 0; }
//// unknown_section
SEC("no_such_section") int f(struct xdp_md *c) { return 0; }
//// refused_null
MAP(m, BPF_MAP_TYPE_HASH, u32, u64, 4);
SEC("xdp") int f(struct xdp_md *c) { u32 k = 1; u64 *v = bpf_map_lookup_elem(&m, &k); return *v; }
//// refused_packet
SEC("xdp") int f(struct xdp_md *c) { return *(u8 *)(long)c->data; }
//// refused_helper
SEC("socket") int f(struct __sk_buff *s) { return bpf_get_current_pid_tgid(); }
//// refused_gpl
char other[] SEC("license") = "";
SEC("xdp") int f(struct xdp_md *c) { return 0; }
//// refused_map
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 0); __type(key, u32); __type(value, u64); } m SEC(".maps");
SEC("xdp") int f(struct xdp_md *c) { u32 k = 1; return bpf_map_lookup_elem(&m, &k) != 0; }
//// struct_ops
struct sock; struct tcp_congestion_ops { u32 (*ssthresh)(struct sock *); void (*cong_avoid)(struct sock *, u32, u32); u32 (*undo_cwnd)(struct sock *); char name[16]; };
SEC("struct_ops/s") u32 s(u64 *c) { return 10; }
SEC("struct_ops/a") void a(u64 *c) { }
SEC("struct_ops/u") u32 u(u64 *c) { return 3; }
SEC(".struct_ops") struct tcp_congestion_ops corpus_ops = { .ssthresh = (void *)s, .cong_avoid = (void *)a, .undo_cwnd = (void *)u, .name = "corpus" };
