# test: frontend
@bpf.xdp
def prog(ctx):
    pkt = ctx.packet
    eth = pkt.pull(net.Ethernet)
    if eth is None:
        return 1
    if eth.proto == net.ETH_IP and (ip := pkt.pull(net.IPv4)):
        return ip.proto
    return 2
# ==>
func @prog(%ctx: ptr.ctx) -> i64 global default=0 btf_id=4 {
entry:
  %0 = load.u32 %ctx : ptr.packet
  %1 = load.u32 %ctx + 4 : ptr.packet_end
  %2 = ptradd %0, 14
  %3 = ule %2, %1
  %4 = ptradd %0, 14
  %5 = select %3, %4, %0 : ptr.packet
  %6 = eq %3, 0
  br %6, then, else
then:
  ret 1
else:
  jump endif
endif:
  %7 = load.u16 %0 + 12
  %8 = bswap16 %7
  %9 = eq %8, 2048
  br %9, and, else.1(%5)
and:
  %10 = ptradd %5, 20
  %11 = ule %10, %1
  %12 = ptradd %5, 20
  %13 = select %11, %12, %5 : ptr.packet
  %14 = eq %11, 0
  br %14, else.1(%13), then.1
then.1:
  %15 = load.u8 %5 + 9
  ret %15
else.1(%pos: ptr.packet):
  jump endif.1
endif.1:
  ret 2
}
