"""USDT: probes found in files, their arguments as clang's header reads them, semaphores counted up and down again."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import purebpf as bpf
from purebpf import RingBuf, elf, i16, i32, loader, u64
from purebpf.errors import AttachError, ElfError, KernelError
from purebpf.loader import usdt
from purebpf.loader.usdt import CONST, MEMORY, REGISTER, Argument
from tests.kernel.test_links import counter

pytestmark = [pytest.mark.kernel, pytest.mark.skipif(platform.machine() != "x86_64", reason="the probed program is x86 code")]
SOURCE = Path(__file__).parents[1] / "data/loader/probed.c"


@pytest.fixture(scope="module", params=["-no-pie", "-pie"])
def probed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    compiler = shutil.which("gcc") or shutil.which("clang-19")
    if compiler is None:
        pytest.skip("no C compiler is installed")
    path = str(tmp_path_factory.mktemp("usdt") / "probed")
    flags = ["-fPIE"] if request.param == "-pie" else ["-fno-pie"]
    subprocess.run([compiler, "-O2", *flags, request.param, str(SOURCE), "-o", path], check=True)
    return path


@pytest.fixture
def child(probed: str) -> Iterator[Callable[[], int]]:
    """Calling it hits every probe once; it gives the count of listeners that the program sees."""
    with subprocess.Popen([probed], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None

        def hit() -> int:
            process.stdin.write("\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        hit.pid = process.pid
        yield hit
        process.stdin.close()


def test_probes_are_found(probed: str) -> None:
    found = usdt.probes(probed)
    assert sorted((p.provider, p.name, bool(p.semaphore)) for p in found) == [
        ("prov", "bare", False), ("prov", "hit", True), ("prov", "hit", True)]
    with open(probed, "rb") as file:
        data = file.read()
    assert all(data[p.offset] == 0x90 for p in found)  # nop


def test_every_place_counts_and_semaphores_go_up_and_down(probed: str, child: Any) -> None:
    with loader.load(counter(f"usdt/{probed}:prov:hit"), attach=True) as k:
        assert k.links[0].kind == "usdt" and len(k.links[0].parts) == 2
        assert child() > 0 and k["hits"].value == 2
        k["prog"].attach(f"{probed}:prov:bare", pid=child.pid)
        assert child() > 0 and k["hits"].value == 5
        k.links[0].close()
        assert child() == 0 and k["hits"].value == 6
    assert child() == 0


def test_arguments_as_the_header_reads_them(probed: str, child: Any, clang_object: Any) -> None:
    with loader.load(elf.read(clang_object("usdt"))) as k:
        link = k["on_hit"].attach(f"{probed}:prov:hit", cookie=1234)
        child()
        assert k["hits"].value == 2 and k["cookie"].value == 1234
        assert list(k["seen"].value) == [7, 8, 9, 10, 11]  # the second place comes last
        places = [p for p in usdt.probes(probed) if p.name == "hit"]
        link.parts[["$7" in p.arguments for p in places].index(True)].close()
        child()
        assert list(k["seen"].value) == [-5, 1 << 40, 77, -9, -5] and k["hits"].value == 3
        other = k["on_hit"].attach(f"{probed}:prov:hit")
        used = set(k["__bpf_usdt_specs"].usdt_numbers)
        other.close()
        assert len(used) == 4 and len(k["__bpf_usdt_specs"].usdt_numbers) == 2
        link.close()
        assert k["__bpf_usdt_specs"].usdt_numbers == set()
        child()
        assert k["hits"].value == 3

@bpf.struct
class Seen:
    a: i32
    b: u64
    m: u64
    k: i32
    w: i16
    cookie: u64


seen = RingBuf[Seen](max_entries=65536)


@bpf.usdt("")
def on_hit(ctx, a: i32, b: u64, m: u64, k: i32, w: i16):  # type: ignore[no-untyped-def]  # a user's function
    with seen.reserve() as e:
        e.a, e.b, e.m, e.k, e.w, e.cookie = a, b, m, k, w, ctx.cookie


def test_arguments_of_a_python_program(probed: str, child: Any) -> None:
    with bpf.load(on_hit, attach=False) as k:
        with k[on_hit].attach(f"{probed}:prov:hit", cookie=1234):
            child()
        found = [(e.a, e.b, e.m, e.k, e.w, e.cookie) for e in k[seen].read()]
        assert found == [(-5, 1 << 40, 77, -9, -5, 1234), (7, 8, 9, 10, 11, 1234)]


def test_the_map_is_laid_out_as_the_header_has_it() -> None:
    from purebpf.btf.layout import size_of

    spec = bpf.build(on_hit)
    declared = spec.maps[usdt.SPECS]
    assert spec.btf is not None and size_of(spec.btf, declared.value_type) == declared.value_size == len(usdt.spec_bytes([], 0))


def test_mistakes(probed: str, tmp_path: Path) -> None:
    with loader.load(counter("usdt")) as k:
        for target, complaint in ((f"{probed}:prov:hitt", "did you mean 'prov:hit'"), (f"{probed}:x:y", "it has prov:bare, prov:hit"),
                                  (probed, "path:provider:name"), ("/bin/true:a:b", "it has none at all"),
                                  ("/nonexistent:a:b", "does not exist")):
            with pytest.raises(AttachError, match=complaint):
                k["prog"].attach(target)
        with pytest.raises(AttachError, match="say where"):
            k["prog"].attach()
        assert k.links == []
        text = tmp_path / "text"
        text.write_text("no ELF")
        with pytest.raises(ElfError, match="this is no ELF file"):
            k["prog"].attach(f"{text}:a:b")


def test_a_full_map_of_places_is_an_error(probed: str, clang_object: Any) -> None:
    spec = elf.read(clang_object("usdt"))
    with loader.load(spec, maps={"__bpf_usdt_specs": 1}) as k:
        with pytest.raises(KernelError, match="BPF_USDT_MAX_SPEC_CNT"):
            k["on_hit"].attach(f"{probed}:prov:hit")
        assert k.links == [] and k["__bpf_usdt_specs"].usdt_numbers == set()


PLACES = {  # as notes of real files write them
    "x86_64": {"-4@%eax": Argument(REGISTER, 0, 80, 4, True), "8@$-5": Argument(CONST, -5, 0, 8, False),
               "1@%r8b": Argument(REGISTER, 0, 72, 1, False), "8@-16(%rbp)": Argument(MEMORY, -16, 32, 8, False),
               "-8@(%rsp)": Argument(MEMORY, 0, 152, 8, True), "2@0x10(%r15)": Argument(MEMORY, 16, 0, 2, False)},
    "aarch64": {"-4@w0": Argument(REGISTER, 0, 0, 4, True), "8@[sp, 16]": Argument(MEMORY, 16, 248, 8, False),
                "8@[x19]": Argument(MEMORY, 0, 152, 8, False), "-4@-7": Argument(CONST, -7, 0, 4, True)},
}


@pytest.mark.parametrize("machine", PLACES)
def test_places_of_arguments(machine: str) -> None:
    for text, place in PLACES[machine].items():
        assert usdt.arguments(text, machine) == [place], text
    assert usdt.arguments(" ".join(PLACES[machine]), machine) == list(PLACES[machine].values())
    assert usdt.arguments("", machine) == []
    for wrong in ("4@%nothing", "4@foo(%rip,%rax)", "3@%rax", "8@[q1]"):
        with pytest.raises(ElfError):
            usdt.arguments(wrong, machine)
    with pytest.raises(ElfError):
        usdt.arguments("4@%eax", "vax")


def test_any_notes_are_probes_or_an_error(probed: str, tmp_path: Path) -> None:
    import random

    with open(probed, "rb") as file:
        whole = file.read()
    start = whole.index(b"stapsdt\0") - 12
    chance, path = random.Random(3), str(tmp_path / "broken")
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(3):
            data[start + chance.randrange(200)] = chance.randrange(256)
        with open(path, "wb") as file:
            file.write(data)
        try:
            usdt.probes(path)
        except (ElfError, AttachError):
            pass
    os.unlink(path)
