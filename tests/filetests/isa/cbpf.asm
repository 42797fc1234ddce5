# test: cbpf
ldh [12]
jeq #0x800, ip, drop
ip: ld #pktlen
jgt #0xfffffff0, drop, keep
keep: ret #-1
drop: ret #0
# ==>
.license "GPL"
.section socket
.globl filter
filter:
    r6 = r1
    w0 = 0
    w7 = 0
    r0 = *(u16 *)skb[12]
    if r0 != 2048 goto +5
    r0 = *(u32 *)(r6 + 0)
    w2 = -16
    if r0 > r2 goto +2
    w0 = -1
    exit
    w0 = 0
    exit
