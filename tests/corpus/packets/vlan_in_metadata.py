"""The VLAN tag that the card took off: fields in network order compare as numbers."""

import purebpf as bpf


@bpf.tc
def prog(ctx):
    if ctx.vlan_present and ctx.vlan_proto == 0x8100:
        return ctx.vlan_tci & 0xFFF
    return 5000 + (ctx.protocol == 0x86DD)


CASES = [
    {"data": bytes(12) + b"\x86\xdd" + bytes(50), "retval": 5001},
    {"data": bytes(12) + b"\x08\0" + bytes(50), "retval": 5000},
]
