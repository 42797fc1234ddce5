"""What the kernel's helpers do besides giving an answer. One that is not named may change memory that the program sees.

    same        the same answer for the whole run of a program, and no effect: calls may be merged or dropped
    quiet       changes no memory that the program sees
    sleeps      only where a program may sleep (might_sleep, 6.18)
    gives=H     what it gives must be given back, by helper H
    takes       takes what its first argument leads to back

Which of them move the packet, and what they take and give, stands in dsl/helpers; who may call them in callers; since when in
versions; kernel functions have all of it in kfuncs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_TABLE: Final = {
    "same": "get_current_pid_tgid get_current_uid_gid get_current_task",
    "quiet": "get_smp_processor_id ktime_get_ns ktime_get_boot_ns get_prandom_u32 map_lookup_elem trace_printk trace_vprintk",
    "sleeps": "copy_from_user copy_from_user_task ima_inode_hash ima_file_hash",
    "gives=sk_release": "sk_lookup_tcp sk_lookup_udp skc_lookup_tcp",
    "gives=ringbuf_submit": "ringbuf_reserve",
    "takes": "sk_release ringbuf_submit ringbuf_discard",
}


class Effects(NamedTuple):
    """One helper's. `gives`: the helper that takes back what it gives, "" if nothing must be given back."""

    same: bool = False
    writes: bool = True
    sleeps: bool = False
    gives: str = ""
    takes: bool = False


NONE: Final = Effects()
_found: dict[str, Effects] = {}


def of(name: str) -> Effects:
    """What a helper does, by its name without `bpf_`."""
    if not _found:
        for word, names in _TABLE.items():
            for one in names.split():
                have = _found.get(one, NONE)
                _found[one] = Effects(
                    have.same or word == "same", have.writes and word not in ("same", "quiet"), have.sleeps or word == "sleeps",
                    have.gives or word.partition("gives=")[2], have.takes or word == "takes")
    return _found.get(name, NONE)
