"""Verbs of the commands beside what the kernel has, and beside bpftool: tables of functions, iterators, memory, bpftool's own pins."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from purebpf import elf, loader
from purebpf.errors import NotSupported
from purebpf.loader import handle
from purebpf.spec import MapSpec
from tests.kernel.specs import obj
from tests.kernel.test_commands import Run, bpftool, run as run  # noqa: F401 - a fixture
from tests.kernel.test_links import counter, getpgid
from tests.elf.clang import compile
from tests.kernel.test_objects import OPS, available

pytestmark = pytest.mark.kernel


def test_struct_ops(run: Run, tmp_path: Path, bpffs: str) -> None:  # noqa: F811
    """Registered from a file by pinned links, listed with its state, dumped, taken back."""
    text = OPS.replace("EXTRA", "").replace("VALUE", "")
    head, _, last = text.rpartition('"pb_linked"')
    spec = elf.read(compile(tmp_path, "ops", f'{head}"pb_other"{last}'))
    only = spec._replace(data={name: one for name, one in spec.data.items() if name == ".struct_ops.link"})
    path = str(tmp_path / "ops.o")
    elf.save(only, path)
    names = [var.name for var in only.data[".struct_ops.link"].vars]
    run("struct-ops", "register", path, "--pin", bpffs)
    try:
        rows = {row["name"]: row for row in run.json("struct-ops", "list")}
        assert set(names) <= set(rows) and rows[names[0]]["struct"] == "tcp_congestion_ops"
        assert "pb_linked" in available()
        row = run.json("struct-ops", "show", names[0])
        assert row["id"] == rows[names[0]]["id"]
        dumped = run.json("struct-ops", "dump", str(row["id"]))
        assert dumped["struct"] == "tcp_congestion_ops" and dumped["name"].startswith("pb_")
        theirs = {one["id"] for one in bpftool("struct_ops", "list")}
        assert {one["id"] for one in rows.values()} == theirs
        for name in names:
            run("struct-ops", "unregister", name)
        assert "pb_linked" not in available()
    finally:
        for name in names:
            os.unlink(f"{bpffs}/{name}")
    assert "see purebpf struct-ops list" in run("struct-ops", "show", "no_such", status=1)
    assert "no struct_ops table" in run("struct-ops", "register", elf_of(tmp_path, "xdp"), status=1)


def elf_of(tmp_path: Path, section: str) -> str:
    path = str(tmp_path / f"{section.replace('/', '_')}.o")
    elf.save(counter(section, 2 if section == "xdp" else 0), path)
    return path


def test_an_iterator_is_run_and_pinned(run: Run, tmp_path: Path, bpffs: str) -> None:  # noqa: F811
    path = elf_of(tmp_path, "iter/task")
    assert run("iter", "run", path) == ""
    run("iter", "pin", path, f"{bpffs}/tasks")
    assert run("iter", "read", f"{bpffs}/tasks") == "" and Path(f"{bpffs}/tasks").read_bytes() == b""
    assert "not a map" in run("map", "unpin", f"{bpffs}/tasks", status=1)
    run("link", "unpin", f"{bpffs}/tasks")
    assert not os.path.exists(f"{bpffs}/tasks")


def test_what_bpftool_pinned_is_opened(bpffs: str) -> None:
    if shutil.which("bpftool") is None:
        pytest.skip("bpftool is not installed")
    place = bpffs.replace("/self/", f"/{os.getpid()}/")  # as another process sees it
    with loader.load(counter("raw_tp/sys_enter"), attach=True) as k:
        for word, number, name in (("prog", k["prog"].info.id, "p"), ("link", k.links[0].id, "l")):
            subprocess.run(["bpftool", word, "pin", "id", str(number), f"{place}/{name}"], check=True)
    try:
        subprocess.run(["bpftool", "map", "create", f"{place}/m", "type", "hash", "key", "4", "value", "8", "entries", "4", "name", "theirs"],
                       check=True)
        with handle.pinned_object(f"{bpffs}/m") as m, handle.pinned_object(f"{bpffs}/p") as p, handle.pinned_object(f"{bpffs}/l") as link:
            m[3] = 4  # type: ignore[index]
            shown = json.loads(subprocess.run(["bpftool", "-j", "map", "dump", "pinned", f"{place}/m"], check=True, capture_output=True).stdout)
            assert len(shown) == 1 and m.name == "theirs" and p.name == "prog"
            assert link.info.prog_id == p.info.id  # type: ignore[union-attr]
            getpgid()
    finally:
        for name in ("p", "l", "m"):
            if os.path.exists(f"{bpffs}/{name}"):
                os.unlink(f"{bpffs}/{name}")


def test_memory_of_arrays_and_arenas() -> None:
    """What a program writes is there at once; views end before what they are of."""
    text = """
        r1 = map:counts
        r2 = r10
        r2 += -4
        *(u32 *)(r10 - 4) = 2
        call map_lookup_elem
        if r0 == 0 goto +2
        r1 = 77
        *(u64 *)(r0 + 0) = r1
        r1 = map:pages
        r0 = 2
        exit"""
    maps = (MapSpec("counts", 2, 4, 8, 4, 1024), MapSpec("plain", 2, 4, 8, 4), MapSpec("pages", 33, 0, 0, 2, 1024))
    with loader.load(obj("xdp", text, maps=maps)) as k:
        with k["counts"].memory() as counts, counts.cast("Q") as numbers:
            k["prog"].test_run(bytes(64))
            assert numbers[2] == 77 and k["counts"][2] == 77
            numbers[1] = 5
            assert k["counts"][1] == 5
        with pytest.raises(NotSupported, match="BPF_F_MMAPABLE"):
            k["plain"].memory()
        pages = k["pages"].memory()
        pages[4096] = 9
        assert len(pages) == 8192 and k["pages"].address and pages[4096] == 9
        with pytest.raises(BufferError, match="still in use"):
            k["pages"].close()
        pages.release()


def test_a_task_of_perf_events(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Programs at events without links, as processes hold them; bpftool says the same."""
    from purebpf.loader import bpf

    real = bpf.link_create
    monkeypatch.setattr(bpf, "link_create", lambda *a, **k: -22)
    with loader.load(counter("tracepoint/syscalls/sys_enter_getpgid"), attach=True) as k:
        monkeypatch.setattr(bpf, "link_create", real)
        mine = [row for row in run.json("perf", "list") if row["pid"] == os.getpid()]
        assert [(row["program"], row["kind"], row["target"]) for row in mine] == [(k["prog"].info.id, "tracepoint", "sys_enter_getpgid")]
        theirs = [row for row in bpftool("perf", "list") if row["pid"] == os.getpid()]
        assert [(row["prog_id"], row["fd"]) for row in theirs] == [(row["program"], row["fd"]) for row in mine]
