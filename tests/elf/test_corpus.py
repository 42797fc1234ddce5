"""Objects that clang makes of many small programs: libbpf is asked about each, and about what we write back of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from purebpf import elf, listing
from purebpf.assembler import assemble_object, helper_names
from purebpf.btf import Btf
from purebpf.errors import PureBpfError
from purebpf.linker import link
from purebpf.loader import load
from purebpf.spec import ObjectSpec
from tests.elf import corpus
from tests.isa import objects

# what this libbpf (1.1) does not know, or bpftool makes of it
NEWER = {"custom_sections": ".bss.y", "static_map": "static maps", "tcx": "tcx", "optional": "bpftool pins what was not loaded"}
PER_KERNEL = {"weak_kfunc"}  # numbers that nobody looks at


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest) -> dict[str, Path]:
    cache = request.config.cache
    if shutil.which("clang-19") is None or cache is None:
        pytest.skip("needs clang-19")
    return corpus.build(cache.mkdir("corpus")) | objects.build(cache.mkdir("objects"))


NAMES = sorted(corpus.sources())


def of(built: dict[str, Path], name: str) -> list[str]:
    """The paths of all builds of a source."""
    return [str(path) for key, path in built.items() if key.endswith(f" {name}")]


def same(a: ObjectSpec, b: ObjectSpec) -> None:
    """Equal in all that is loaded."""
    for field in ("programs", "functions", "maps", "license", "byteorder"):
        assert getattr(a, field) == getattr(b, field), field
    assert {n: d.data for n, d in a.data.items()} == {n: d.data for n, d in b.data.items()}
    assert {n: d.relocations for n, d in a.data.items()} == {n: d.relocations for n, d in b.data.items()}


@pytest.mark.parametrize("name", [*NAMES, *(s.stem for s in objects.SOURCES)])
def test_written_back_it_is_the_same(built: dict[str, Path], name: str) -> None:
    paths = of(built, name)
    assert paths
    for path in paths:
        spec = elf.read(path)
        data = elf.write(spec)
        again = elf.read(data)
        same(spec, again)
        assert elf.write(again) == data
        spec.check()


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_listing_assembles_to_the_same_bytes(built: dict[str, Path], name: str) -> None:
    for path in of(built, name):
        spec = elf.read(path)
        for notation in ("kernel", "mnemonic"):
            text = listing.text(listing.routines_of_object(spec), listing.Style(notation, helpers=helper_names(), core=True),
                                listing.header(spec, whole=True))
            assert elf.write(assemble_object(text, "x.s", notation, byteorder=spec.byteorder)) == elf.write(spec)


@pytest.mark.parametrize("name", NAMES)
def test_linked_alone_it_is_the_same(built: dict[str, Path], name: str) -> None:
    for path in of(built, name):
        spec = elf.read(path)
        linked = link([spec])
        linked.check()
        assert isinstance(linked.btf, Btf)
        linked.btf.check()
        assert {n: [i._replace(ref=None) for i in p.func.insns] for n, p in linked.programs.items()} == {
            n: [i._replace(ref=None) for i in p.func.insns] for n, p in spec.programs.items()}
        again = elf.read(elf.write(linked))
        assert again.programs.keys() == spec.programs.keys() and again.maps.keys() == spec.maps.keys()


ASK = """mount -t bpf bpf /sys/fs/bpf && bpftool prog loadall {} /sys/fs/bpf/p 1>&2
for p in /sys/fs/bpf/p/*; do bpftool -j prog show pinned $p; done"""


def libbpf_says(path: str) -> dict[str, str] | None:
    """{program: tag}, None if it does not load. The tag is of the instructions that were sent, maps aside."""
    done = subprocess.run(["unshare", "-m", "sh", "-ec", ASK.format(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    return {one["name"]: one["tag"] for one in map(json.loads, done.stdout.splitlines())}


def we_say(spec: ObjectSpec, pins: str) -> dict[str, str] | None:
    try:
        with load(spec, pin_directory=pins) as k:
            return {p.info.name: p.info.tag.hex() for p in k.programs.values()}
    except PureBpfError:
        return None


@pytest.mark.kernel
@pytest.mark.parametrize("name", NAMES)
def test_libbpf_says_the_same(built: dict[str, Path], name: str, bpffs: str, tmp_path: Path) -> None:
    if shutil.which("bpftool") is None:
        pytest.skip("needs bpftool")
    path = next(str(p) for key, p in built.items() if key.startswith("clang-19 v") and key.endswith(f" {name}"))
    spec = elf.read(path)
    theirs, ours = libbpf_says(path), we_say(spec, bpffs)
    if name in NEWER:
        assert theirs is None
        return
    assert (theirs is None) == (ours is None)
    if theirs is not None and ours is not None:
        assert theirs.keys() == ours.keys()
        assert name in PER_KERNEL or theirs == ours
    written = tmp_path / "again.o"
    elf.save(spec, written)
    assert libbpf_says(str(written)) == theirs
    elf.save(link([spec]), written)
    again = libbpf_says(str(written))
    assert (again is None) == (theirs is None) and (again is None or theirs is None or again.keys() == theirs.keys())


def test_gcc_s_objects_are_read_and_written_back(tmp_path: Path) -> None:
    """GCC 12 cannot compile some (indirect calls), and puts the symbol's place into the addend of a few, which nobody reads."""
    if shutil.which("bpf-gcc") is None:
        pytest.skip("needs bpf-gcc")
    fine = 0
    for name, text in corpus.sources().items():
        source, path = tmp_path / f"{name}.c", tmp_path / f"{name}.o"
        source.write_text(corpus.PRELUDE + text, encoding="utf-8")
        done = subprocess.run(["bpf-gcc", "-O2", "-gbtf", "-w", "-idirafter", "/usr/include", "-idirafter",
                               "/usr/include/x86_64-linux-gnu", "-c", str(source), "-o", str(path)], capture_output=True, check=False)
        if done.returncode:
            continue
        try:
            spec = elf.read(path)
        except PureBpfError:
            continue
        if name != "core_size":  # whose relocations GCC 12 writes wrongly: 0 where its types say 16
            same(spec, elf.read(elf.write(spec)))
        fine += 1
    assert fine >= 110
