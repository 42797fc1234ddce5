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
func @prog(%ctx: ptr.ctx) -> i64 btf_id=4 {
entry:
  %data = load.u32 %ctx : ptr.packet
  %data_end = load.u32 %ctx + 4 : ptr.packet_end
  %0 = ptradd %data, 14
  %1 = ule %0, %data_end
  %2 = ptradd %data, 14
  br %1, else, then
then:
  ret 1
else:
  jump endif
endif:
  %3 = load.u16 %data + 12
  %4 = bswap16 %3
  %5 = eq %4, 2048
  br %5, and, else.1(%2)
and:
  %6 = ptradd %2, 20
  %7 = ule %6, %data_end
  %8 = ptradd %2, 20
  br %7, then.1, else.1(%8)
then.1:
  %9 = load.u8 %2 + 9
  ret %9
else.1(%10: ptr.packet):
  jump endif.1
endif.1:
  ret 2
}
