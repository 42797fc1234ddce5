"""Fields, booleans, addresses and names of the process in f-strings."""

import purebpf as bpf
from purebpf import Global, be32, u8, u16


@bpf.struct
class Flow:
    src: be32
    port: u16
    mac: u8[6]


flow = Global[Flow]()


@bpf.xdp
def prog(ctx):
    print(f"{bpf.ip4(flow.src)}:{flow.port} {bpf.mac(flow.mac)}")
    print(f"{flow.port == 80}")
    print("by", bpf.current_comm())
    t = (1, flow.port)
    print(*t)
    return 2


CASES = [{"set": {"flow": {"src": 0x0A0B0C0D, "port": 80, "mac": [1, 2, 3, 0xAB, 0, 255]}}, "retval": 2,
          "prints": ["10.11.12.13:80 01:02:03:ab:00:ff", "True", lambda line: len(line) > 3, "1 80"]}]
