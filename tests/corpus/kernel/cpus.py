"""A set of CPUs: made, filled, asked, given back."""

import purebpf as bpf
from purebpf.kernel.kfuncs import (
    bpf_cpumask_acquire, bpf_cpumask_clear_cpu, bpf_cpumask_create, bpf_cpumask_empty, bpf_cpumask_release, bpf_cpumask_set_cpu,
    bpf_cpumask_test_cpu,
)


@bpf.syscall
def sets(ctx):
    with bpf_cpumask_create() as mask:
        bpf_cpumask_set_cpu(0, mask)
        if not bpf_cpumask_test_cpu(0, mask):
            return 1
        again = bpf_cpumask_acquire(mask)
        bpf_cpumask_clear_cpu(0, again)
        empty = bpf_cpumask_empty(mask)
        bpf_cpumask_release(again)
        return 10 + empty
    return 2


JUDGES = ["kernel"]
CASES = [{"retval": 11}]
