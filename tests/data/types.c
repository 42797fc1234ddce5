// Every kind of type clang emits, for BTF tests.
struct forward;
union either { int i; float f; struct forward *p; };
enum small { MINUS = -1, ZERO, ONE };
enum large { HUGE_VALUE = 0x123456789abcdefULL };
typedef unsigned int u32;
typedef const volatile u32 *cvp;
struct node {
	struct node *next, *restrict other;
	union either value;
	unsigned a : 3, b : 5;
	signed long c : 40;
	struct { u32 x; union { u32 y; char z[4]; }; };
	int (*call)(struct node *self, int first, ...);
	double d;
	_Bool flag;
	u32 grid[2][3];
	enum small s;
	enum large l;
	cvp v;
	u32 tagged __attribute__((btf_decl_tag("note")));
	int __attribute__((btf_type_tag("user"))) *user;
	char tail[];
} __attribute__((packed));
struct node first;
static volatile u32 counter = 1;
const u32 table[4] __attribute__((section(".rodata.table"))) = {1, 2, 3, 4};
__attribute__((section("?xdp"))) int prog(void *ctx) { return counter + first.s + table[first.a & 3]; }
char LICENSE[] __attribute__((section("license"))) = "GPL";
