"""The lists agree with each other and with what they were made from."""

import subprocess
import sys
from pathlib import Path

import pytest

from purebpf.uapi import attrs, enums, helpers, hooks, versions

ROOT = Path(__file__).parents[2]


def test_generated_files_are_fresh() -> None:
    done = subprocess.run([sys.executable, ROOT / "tools" / "gen_uapi.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_helper_has_a_first_kernel() -> None:
    listed = [name for names in versions.HELPERS.values() for name in names.split()]
    assert sorted(listed) == sorted(helpers.IDS)


@pytest.mark.parametrize("table, cls", [
    (versions.MAP_TYPES, enums.MapType), (versions.PROG_TYPES, enums.ProgType),
    (versions.ATTACH_TYPES, enums.AttachType), (versions.LINK_TYPES, enums.LinkType), (versions.COMMANDS, enums.Cmd)])
def test_versions_name_real_things(table: dict[str, str], cls: type) -> None:
    listed = [name for names in table.values() for name in names.split()]
    assert len(set(listed)) == len(listed)
    assert set(listed) <= set(vars(cls))
    unversioned = {n for n in vars(cls) if n[0] != "_"} - set(listed) - {"UNSPEC", "PROG_RUN"}
    newer_than_known = {"RHASH", "TRACE_FSESSION", "TRACE_FENTRY_MULTI", "TRACE_FEXIT_MULTI", "TRACE_FSESSION_MULTI",
                        "TRACING_MULTI", "PROG_ASSOC_STRUCT_OPS"}
    assert unversioned <= newer_than_known


def test_helper_numbers() -> None:
    assert len(helpers.IDS) == 211 and sorted(helpers.IDS.values()) == list(range(1, 212))
    assert helpers.helper_id("map_lookup_elem") == helpers.helper_id("bpf_map_lookup_elem") == 1
    assert helpers.helper_name(1) == "map_lookup_elem"
    assert helpers.helper_id("nothing") is None and helpers.helper_name(0) is None


def test_enum_names() -> None:
    assert enums.names(enums.MapType)[27] == "RINGBUF" and enums.name_of(enums.MapType, 999) == "999"
    assert enums.names(enums.Cmd)[10] == "PROG_TEST_RUN"
    assert enums.MapFlag.RDONLY_PROG == 0x80 and enums.UpdateFlag.NOEXIST == 1 and enums.PerfFlag.CURRENT_CPU == 0xFFFFFFFF


def test_attrs_cover_every_command() -> None:
    for name in vars(enums.Cmd):
        if name[0] != "_" and name != "PROG_RUN":
            assert getattr(attrs, name).size > 0, name
    assert attrs.PROG_LOAD["log_true_size"] == (140, 4)
    assert attrs.LINK_CREATE["kprobe_multi.cnt"] == (20, 4)
    assert attrs.MAP_UPDATE_ELEM["key"].offset == 8


@pytest.mark.parametrize("section, pattern, target", [
    ("xdp", "xdp", ""), ("?xdp", "xdp", ""), ("kprobe", "kprobe+", ""), ("kprobe/do_x+0x4", "kprobe+", "do_x+0x4"),
    ("tracepoint/syscalls/sys_enter_openat", "tracepoint+", "syscalls/sys_enter_openat"), ("tc/ingress", "tc/ingress", ""),
    ("tc", "tc", ""), ("sk_reuseport/migrate", "sk_reuseport/migrate", ""), ("cgroup/connect4", "cgroup/connect4", ""),
    ("uprobe.multi.s//bin/sh:main*", "uprobe.multi.s+", "/bin/sh:main*"), ("struct_ops.s/x", "struct_ops.s+", "x")])
def test_section_names(section: str, pattern: str, target: str) -> None:
    hook = hooks.match(section)
    assert hook is not None and hook.pattern == pattern and hooks.target(section) == target
    assert hooks.autoload(section) == (section[0] != "?")


@pytest.mark.parametrize("section", ["kprobefoo", "xdp/foo", "xdp_prog1", "maps", "", "tc/other", "socket1", ".text"])
def test_unknown_sections(section: str) -> None:
    assert hooks.match(section) is None


def test_hooks_are_consistent() -> None:
    assert len(hooks.HOOKS) == 116
    for hook in hooks.HOOKS:
        assert hook.returns is None or hook.returns[0] <= hook.default <= hook.returns[1], hook
        assert bool(hook.target) == hook.pattern.endswith("+"), hook
        assert hooks.match(hook.name) is hook


@pytest.mark.parametrize("release, since, has", [
    ("6.18.44-fc", "6.18", True), ("5.10", "5.9", True), ("5.9", "5.10", False), ("6.1", "", True), ("junk", "4.1", False)])
def test_releases_compare_as_numbers(release: str, since: str, has: bool) -> None:
    assert versions.has(release, since) is has


def test_versions_by_number() -> None:
    assert versions.helper(1) == versions.helper("bpf_map_lookup_elem") == "3.18"
    assert versions.map_type(enums.MapType.RINGBUF) == "5.8" and versions.prog_type(enums.ProgType.XDP) == "4.8"
    assert versions.command(enums.Cmd.LINK_CREATE) == "5.7" and versions.feature("may_goto") == "6.9"
    assert versions.attach_type(enums.AttachType.TCX_INGRESS) == "6.6" and versions.helper("nothing") == ""
