"""The table of what helpers do: each is a helper, and what must be given back can be."""

from __future__ import annotations

from purebpf.uapi import effects
from purebpf.uapi.helpers import IDS


def test_every_row_is_a_helper_once_a_column() -> None:
    for names in effects._TABLE.values():
        assert set(names.split()) <= set(IDS) and len(names.split()) == len(set(names.split()))


def test_what_is_given_can_be_taken_back() -> None:
    givers = [name for name in IDS if effects.of(name).gives]
    assert givers and all(effects.of(effects.of(name).gives).takes for name in givers)


def test_columns_do_not_contradict_each_other() -> None:
    assert effects.of("get_current_pid_tgid") == effects.Effects(same=True, writes=False)
    assert effects.of("map_update_elem") == effects.NONE and effects.NONE.writes


def test_what_the_kernel_says_of_licence_and_packet() -> None:
    assert effects.of("probe_read_kernel").gpl and not effects.of("ktime_get_ns").gpl
    assert effects.of("skb_store_bytes").moves and not effects.of("skb_load_bytes").moves
