"""Kernel objects of whoever made them: opened every way, checked for their kind, changed, listed."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest

import purebpf as bpf
from purebpf import loader
from purebpf.errors import AttachError, KernelError, NotSupported
from purebpf.loader import handle, listed
from purebpf.loader.refusals import older_than
from purebpf.spec import MapSpec
from purebpf.uapi.enums import MapType
from tests.kernel import net
from tests.kernel.test_links import FRAME, counter, getpgid, grows

pytestmark = pytest.mark.kernel


def uniquely_named(section: str, result: int = 0) -> Any:
    spec = counter(section, result)
    prog = spec.programs["prog"]
    name = f"u{os.getpid()}"
    return spec._replace(programs={name: prog._replace(func=prog.func._replace(name=name))}, maps={
        f"m{os.getpid()}": MapSpec(f"m{os.getpid()}", MapType.HASH, 4, 8, 8)}), name


def test_every_way_to_open(bpffs: str) -> None:
    spec, name = uniquely_named("raw_tp/sys_enter")
    with loader.load(spec, attach=True) as k:
        program, m, link = k[name], k[f"m{os.getpid()}"], k.links[0]
        for one, opener in ((program, bpf.open_program), (m, bpf.open_map), (link, bpf.open_link)):
            path = f"{bpffs}/{type(one).__name__}"
            one.pin(path)
            number = one.id if one is link else one.info.id
            ways: list[Any] = [number, str(number), path, pathlib.Path(path), one]
            ways += [one.name] if one is not link else []
            ways += [program.info.tag.hex()] if one is program and len(list(
                e for e in bpf.programs() if e.info.tag == program.info.tag)) == 1 else []
            for which in ways:
                with opener(which) as again:
                    assert (again.id if one is link else again.info.id) == number
            with opener(path) as again:
                assert again.pins == (path,)
                again.unpin()
            assert not os.path.exists(path)
            one.unpin()


@pytest.mark.parametrize("opener", ["open_map", "open_program", "open_link"])
def test_another_kind_is_refused(bpffs: str, opener: str) -> None:
    spec, name = uniquely_named("raw_tp/sys_enter")
    with loader.load(spec, attach=True) as k:
        there = {"open_map": k[f"m{os.getpid()}"], "open_program": k[name], "open_link": k.links[0]}
        for right, one in there.items():
            one.pin(f"{bpffs}/x")
            if right != opener:
                for which in (f"{bpffs}/x", one):
                    with pytest.raises(KernelError, match=rf"not a {opener[5:]}\n  help: .*{right}\(\)"):
                        getattr(bpf, opener)(which)
            opened = handle.pinned_object(f"{bpffs}/x")
            assert type(opened) is type(one)
            opened.close()
            one.unpin()
    with pytest.raises(KernelError, match="not a"):
        with open(os.devnull) as file:
            getattr(bpf, opener)(file)
    with pytest.raises(KernelError, match="has this id"):
        getattr(bpf, opener)(2_000_000_000)
    with pytest.raises(KernelError, match="has this name|has no name"):
        getattr(bpf, opener)("nobody_has_it")


def test_an_opened_program_attaches_and_its_links_are_its_own() -> None:
    with loader.load(counter("raw_tp/sys_enter")) as k:
        with bpf.open_program(k["prog"].info.id, section="raw_tp/sys_enter") as program:
            program.attach()
            assert grows(k, getpgid) and k.links == []
        assert not grows(k, getpgid)
        with bpf.open_program(k["prog"]) as program:
            assert program.spec.section == "raw_tracepoint"
            with program.attach("sys_enter"):
                assert grows(k, getpgid)
        with pytest.raises(KernelError, match="of type RAW_TRACEPOINT"):
            bpf.open_program(k["prog"].info.id, section="xdp")


def test_links_are_updated_and_detached(netns: None) -> None:
    with loader.load(counter("xdp", 2)) as one, loader.load(counter("xdp", 2)) as two, loader.load(counter("tc")) as tc:
        def send() -> None:
            net.send_raw("lo", FRAME)

        one["prog"].attach("lo", mode="generic")
        number = one.links[0].id
        with bpf.open_link(number) as link:
            assert link.info.target == "lo" and link.info.type == "xdp" and link.info.prog_id == one["prog"].info.id
            link.update(two["prog"])
            assert link.info.prog_id == two["prog"].info.id and grows(two, send) and not grows(one, send)
            with pytest.raises(KernelError, match="another program is there"):
                link.update(two["prog"], expected=one["prog"])
            link.update(one["prog"], expected=two["prog"])
            with pytest.raises(NotSupported, match="only to the same type"):
                link.update(tc["prog"])
            assert grows(one, send)
            link.detach()
            assert link.closed
        assert not grows(one, send) and one.links[0].info.target == "(gone)"
    with loader.load(counter("raw_tp/sys_enter"), attach=True) as k:
        with pytest.raises(NotSupported, match="all tracing|only to the same type"):
            k.links[0].update(k["prog"])
        k.links[0].detach()
        assert k.links == [] and not grows(k, getpgid)


@pytest.mark.skipif(older_than("6.6"), reason="tcx: since 6.6")
def test_order_of_tcx_programs(netns: None) -> None:
    """Each program writes down its number in the mark; the first that ends the list decides."""
    def spec(result: int) -> Any:
        return counter("tc", result)

    with loader.load(spec(-1)) as a, loader.load(spec(-1)) as b, loader.load(spec(2)) as stop:
        def send() -> None:
            net.send_raw("lo", FRAME)

        first = a["prog"].attach("lo")
        b["prog"].attach("lo", before=first)
        assert grows(a, send) and grows(b, send)
        blocker = stop["prog"].attach("lo", before=first)  # between b and a
        assert grows(b, send) and not grows(a, send)
        blocker.close()
        stop["prog"].attach("lo", before=True)
        assert not grows(b, send) and not grows(a, send)
        stop.links[0].close()
        stop["prog"].attach("lo", after=b["prog"])
        assert grows(b, send) and not grows(a, send)
        with pytest.raises(KernelError):
            a["prog"].attach("lo", after=stop["prog"], expected_revision=1)
        with pytest.raises(AttachError, match="attached there already"):
            b["prog"].attach("lo")
        for wrong in ({"before": first, "after": first}, {"before": 3}, {"replace": first}, {"via": "x"},
                      {"before": first, "priority": 3}):
            with pytest.raises(ValueError):
                a["prog"].attach("lo", **wrong)


def test_listings_agree_with_what_there_is() -> None:
    spec, name = uniquely_named("raw_tp/sys_enter")
    with loader.load(spec, attach=True) as k:
        programs = {e.id: e for e in bpf.programs()}
        mine = programs[k[name].info.id]
        assert (mine.name, mine.type) == (name, "raw_tracepoint") and os.getpid() in {p.pid for p in mine.holders}
        link = next(e for e in bpf.links() if e.id == k.links[0].id)
        assert (link.type, link.name, link.info.prog_id) == ("raw_tracepoint", "sys_enter", mine.id)
        m = next(e for e in bpf.maps() if e.id == k[f"m{os.getpid()}"].info.id)
        assert (m.name, m.type) == (f"m{os.getpid()}", "hash")
        for entry in (mine, link, m):
            with entry.open() as opened:
                assert opened.fileno() > 0
        assert any(e.name == "vmlinux" for e in listed.btfs())


LINKS = {"tracepoint/syscalls/sys_enter_getpgid": ("tracepoint", "sys_enter_getpgid"),
         "raw_tp/sys_enter": ("raw_tracepoint", "sys_enter"), "uprobe/libc.so.6:getppid": ("uprobe", "libc.so.6"),
         "uprobe.multi/libc.so.6:getppi?": ("uprobe_multi", "libc.so.6"), "tp_btf/sys_enter": ("raw_tracepoint", "sys_enter"),
         "iter/task": ("iter", "task")}


@pytest.mark.parametrize("section", LINKS)
def test_what_the_kernel_tells_of_each_kind(section: str) -> None:
    kind, target = LINKS[section]
    with loader.load(counter(section), attach=True) as k:
        info = k.links[0].info
        assert info.type == kind and target in info.target and info.id and info.prog_id == k["prog"].info.id


def test_a_closed_link_says_so() -> None:
    with loader.load(counter("raw_tp/sys_enter"), attach=True) as k:
        link = k.links[0]
        link.close()
        for use in (lambda: link.id, lambda: link.info, link.read, lambda: link.pin("/x"), lambda: link.update(k["prog"])):
            with pytest.raises(ValueError, match="raw_tracepoint sys_enter is closed"):
                use()
    with loader.load(counter("perf_event")) as k:
        many = k["prog"].attach("cpu_clock", frequency=10)
        if many.parts:
            with pytest.raises(NotSupported, match=f"{len(many.parts)} links"):
                many.id  # noqa: B018
            assert len({part.id for part in many.parts}) == len(many.parts)
