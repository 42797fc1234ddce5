"""Objects and types made to hurt: a typed error or a value, soon, in little memory."""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from purebpf import elf
from purebpf.btf import Btf, Builder
from purebpf.btf import types as t
from purebpf.errors import FormatError
from tests.elf.example import full

SECONDS, BYTES = 10, 300 << 20  # of CPU and of addresses: generous for a loaded machine, far below what the inputs ask for


def elf_file(sections: list[tuple[str, int, int, bytes, int]], symbols: list[tuple[str, int, int, int, int]]) -> bytes:
    """(name, type, flags, data, size of NOBITS) and (name, info, section, value, size) as a file; sections from 3."""
    names = b"\0.strtab\0.symtab\0" + b"".join(n.encode() + b"\0" for n, *_ in [*sections, *symbols])

    def at(name: str) -> int:
        return names.find(b"\0" + name.encode() + b"\0") + 1 if name else 0

    table = bytes(24) + b"".join(struct.pack("<IBBHQQ", at(n), info, 0, where, value, size)
                                 for n, info, where, value, size in symbols)
    rows = [(".strtab", 3, 0, names, len(names), 0, 0), (".symtab", 2, 0, table, len(table), 1, 24),
            *((n, kind, flags, data, size or len(data), 0, 0) for n, kind, flags, data, size in sections)]
    body, headers = bytearray(64), [bytes(64)]
    for name, kind, flags, data, size, link, entry in rows:
        headers.append(struct.pack("<IIQQQQIIQQ", at(name), kind, flags, 0, len(body), size, link, 1, 1, entry))
        body += data
    body[:64] = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 1, 247, 1, 0, 0, len(body), 0, 64, 0, 0, 64,
                                                                len(headers), 1)
    return bytes(body) + b"".join(headers)


EXIT = bytes([0x95]) + bytes(7)


def many_zero_sections() -> bytes:
    return elf_file([(f".bss{n}", 8, 3, b"", 1 << 25) for n in range(40)], [])


def a_huge_zero_section() -> bytes:
    return elf_file([(".bss", 8, 3, b"", 1 << 60)], [])


def functions_in_functions() -> bytes:
    code = EXIT * 20_000
    return elf_file([("xdp", 1, 6, code, 0)], [(f"f{n}", 0x12, 3, 8 * n, len(code) - 8 * n) for n in range(15_000)])


def functions_of_one_name() -> bytes:
    return elf_file([(".text", 1, 6, EXIT * 20_000, 0)], [("f", 0x02, 3, 8 * n, 8) for n in range(20_000)])


def many_data_sections() -> bytes:
    return elf_file([(f".data{n}", 1, 3, b"1234", 0) for n in range(4000)],
                    [("v", 0x11, 3 + n % 4000, 0, 4) for n in range(8_000)])


def a_table_of_sections_beyond_the_end() -> bytes:
    data = bytearray(elf_file([], []))
    data[60:62] = b"\0\0"  # "the first header says how many"
    struct.pack_into("<Q", data, struct.unpack_from("<Q", data, 40)[0] + 32, 1 << 40)
    return bytes(data)


FILES = [many_zero_sections, a_huge_zero_section, functions_in_functions, functions_of_one_name, many_data_sections,
         a_table_of_sections_beyond_the_end]


def bit_field_far_away() -> Btf:
    b = Builder()
    byte = b.add(t.Int("unsigned char", 1))
    b.add(t.Struct("s", 1 << 21, (t.Member("a", byte, 0, 1), t.Member("b", byte, 0xFFFFFF, 1))))
    return b.build()


def containing_itself() -> Btf:
    return Btf([t.Struct("s", 8, (t.Member("a", 1, 0),)), t.Typedef("x", 3), t.Typedef("y", 2), t.Array(4, 4, 7), t.Ptr(5)])


def doubling() -> Btf:
    """Anonymous structs of two of the one before."""
    types: list[t.Type] = [t.Int("int", 4, 1)]
    for n in range(1, 40):
        types.append(t.Struct("", 4 << min(n, 20), (t.Member("a", n, 0), t.Member("b", n, 32))))
    return Btf([*types, t.Typedef("all", len(types))])


def chain() -> Btf:
    return Btf([t.Ptr(n + 2) if n < 60_000 else t.Int("int", 4, 1) for n in range(60_001)])


def ring() -> Btf:
    return Btf([t.Struct("" if n else "first", 8, (t.Member("next", (n + 1) % 20_000 + 1, 0),)) for n in range(20_000)])


def one_name() -> Btf:
    return Btf([t.Struct("x", n % 1000, ()) for n in range(40_000)])


def deep() -> Btf:
    return Btf([t.Struct(f"s{n}", 4, (t.Member("a", n + 2, 0),)) if n < 3000 else t.Int("int", 4, 1) for n in range(3001)])


def a_huge_array() -> Btf:
    return Btf([t.Int("int", 4, 1), t.Array(1, 1, 0xFFFFFFFF), t.Array(2, 1, 0xFFFFFFFF), t.Struct("s", 4, (t.Member("a", 3, 0),))])


TYPES = [bit_field_far_away, containing_itself, doubling, chain, ring, one_name, deep, a_huge_array]

TRY = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({bytes}, {bytes}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
from purebpf.errors import FormatError
data = open(sys.argv[1], "rb").read()
def attempt(what, *arguments):
    try:
        return what(*arguments)
    except FormatError:
        return None
{body}
"""
READ = """
from purebpf import elf
spec = attempt(elf.read, data)
if spec is not None:
    attempt(elf.write, spec)
    attempt(spec.check)
"""
LOOK = """
from purebpf.btf import Btf
btf = attempt(Btf.from_bytes, data)
if btf is not None:
    {look}
"""
LOOKS = {
    "check": "attempt(btf.check)",
    "c": "from purebpf.btf.ctext import c_header; attempt(c_header, btf, range(1, btf.last + 1))",
    "definition": "from purebpf.btf.ctext import definition; attempt(definition, btf, btf.last)",
    "dedup": "from purebpf.btf.dedup import dedup; attempt(dedup, btf)",
    "list": "from purebpf.btf.listed import as_lines; attempt(list, as_lines(btf))",
    "classes": "from purebpf.btf.classes import struct_classes; attempt(struct_classes, btf, range(1, btf.last + 1))",
    "values": "from purebpf.btf.values import codec; from purebpf.btf.layout import size_of\n"
              "    size = attempt(size_of, btf, btf.last); attempt(codec, btf, btf.last, size or 0)",
}


def tried(body: str, data: bytes, folder: Path) -> None:
    file = folder / "input"
    file.write_bytes(data)
    assert len(data) < 2 << 20
    script = TRY.format(bytes=BYTES, seconds=SECONDS, body=body)
    done = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr[-600:])


@pytest.mark.parametrize("make", FILES, ids=lambda f: f.__name__)
def test_objects(make: Callable[[], bytes], tmp_path: Path) -> None:
    tried(READ, make(), tmp_path)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("make", TYPES, ids=lambda f: f.__name__)
def test_types(make: Callable[[], Btf], look: str, tmp_path: Path) -> None:
    tried(LOOK.format(look=LOOKS[look]), make().to_bytes(), tmp_path)


def test_sizes_in_headers_are_not_believed() -> None:
    good = full().btf
    assert good is not None
    data = bytearray(good.to_bytes())
    for at in range(4, 24, 4):
        for value in (0x7FFFFFFF, 0xFFFFFFFF, 1 << 30):
            broken = bytearray(data)
            struct.pack_into("<I", broken, at, value)
            with pytest.raises(FormatError):
                Btf.from_bytes(bytes(broken)).check()


def test_a_packed_bomb_is_refused() -> None:
    from base64 import b85encode
    from zlib import compress

    from purebpf.whole import unpack

    with pytest.raises(FormatError, match="too large"):
        unpack(b85encode(compress(bytes(1 << 27))))
    for text in (b"", b"nonsense", b"!!!!", b"\xff\xff"):
        with pytest.raises(FormatError):
            unpack(text)


def test_damaged_objects_give_errors_or_values() -> None:
    """Bytes changed at random: whatever reads it says FormatError, or gives an object that is written again."""
    random, good = Random(7), elf.write(full())
    values = 0
    for _ in range(400):
        data = bytearray(good)
        for _ in range(random.choice((1, 2, 8))):
            data[random.randrange(len(data))] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
        try:
            elf.write(elf.read(bytes(data[:random.choice((len(data), random.randrange(len(data)))) or 1])))
            values += 1
        except FormatError:
            pass
    assert values > 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_definitions_of_gigabytes_are_not_written() -> None:
    spec = full()
    jumps = spec.maps["jumps"]._replace(max_entries=1 << 31, contents=((b"\0\0\0\x40", "first"),))
    with pytest.raises(FormatError, match="too much for an object"):
        elf.write(spec._replace(maps={**spec.maps, "jumps": jumps}))
