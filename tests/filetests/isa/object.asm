# test: asm-object
.license "Dual MIT/GPL"
struct flow { u32 saddr, daddr; u16 ports[2]; };
.map flows, type=lru_hash, key=struct flow, value=u64, max_entries=4096
.var u64 dropped
.rodata
.var u8 table[4] = 1, 2, 3, 4
.section tc
.globl watch
watch:
    r1 = dropped ll
    r2 = table + 2 ll
    r3 = flows ll
    r0 = sizeof(struct flow)
    call helper
    exit
.text
helper: r0 = TC_ACT_SHOT
    exit
# ==>
.license "Dual MIT/GPL"

typedef unsigned int u32;

typedef unsigned short u16;

struct flow {
    u32 saddr;
    u32 daddr;
    u16 ports[2];
};

typedef unsigned long long u64;

typedef unsigned char u8;
.proto int watch(struct __sk_buff *ctx)

.map flows, type=lru_hash, key=struct flow, value=u64, max_entries=4096

.section ".bss"
.var u64 dropped

.section ".rodata"
.var const u8 table[4] = "\001\002\003\004"

.section "tc"
.globl watch
watch:
    r1 = dropped ll
    r2 = .rodata + 2 ll
    r3 = flows ll
    r0 = 12
    call helper
    exit

.section ".text"
.type helper, @function
helper:
    r0 = 2
    exit
