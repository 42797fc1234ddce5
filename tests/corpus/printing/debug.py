"""printk and print left in a program while looking for a mistake."""

import purebpf as bpf
from purebpf import HashMap, u32, u64

hits = HashMap[u32, u64](max_entries=8)


@bpf.xdp
def prog(ctx):
    hits[1] += 1
    n = hits.get(1, 0)
    print("hits", n)
    bpf.printk("len %d", len(ctx.packet))
    print(f"{n=}")
    return 2


CASES = [{"times": 2, "retval": 2, "prints": ["hits 1", "len 64", "n=1", "hits 2", "len 64", "n=2"]}]
