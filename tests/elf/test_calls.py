"""What the kernel is asked for, system call by system call: by libbpf and by us for one object, and for what we write back of it."""

from __future__ import annotations

import shutil

import pytest

from purebpf import elf, listing
from purebpf.assembler import assemble_object, helper_names
from tests.elf import corpus
from tests.elf.calls import Asked, asked
from tests.once import alone

# where this libbpf (1.1) is another than ours, and why
OTHERWISE = {"static_map": "it refuses static maps", "tcx": "it does not know tcx",
             "weak_kfunc": "the number of a function that is not there, which nobody looks at",
             "string_table": "it leaves distances in data where addresses were to be"}
LINES = 7  # where a program's line info stands


@pytest.fixture(scope="session")
def told(request: pytest.FixtureRequest) -> dict[str, dict[str, Asked]]:
    """{who: {object: what it asked}}; "… again" is of the object that we wrote back, "… listed" of its whole listing, assembled, "… plain" of the
    listing that is not whole, of those with CO-RE."""
    cache = request.config.cache
    if not all(map(shutil.which, ("clang-19", "gcc", "unshare"))) or cache is None:
        pytest.skip("needs clang-19 and gcc")
    folder = cache.mkdir("calls")
    built = {name: path for name, path in corpus.build(cache.mkdir("corpus")).items() if "bpfeb" not in name}
    with alone(folder):
        again, listed, plain = {}, {}, {}
        for name, path in built.items():
            spec = elf.read(path)
            for kind, copies in (("again", again), ("listed", listed), ("plain", plain)):
                copies[name] = folder / kind / path.name
                copies[name].parent.mkdir(exist_ok=True)
            elf.save(spec, again[name])
            routines, style = listing.routines_of_object(spec), listing.Style(helpers=helper_names(), core=True)
            elf.save(assemble_object(listing.text(routines, style, listing.header(spec, whole=True)), "x.s"), listed[name])
            if after := listing.footer(spec):
                elf.save(assemble_object(listing.text(routines, style, listing.header(spec), after), "x.s"), plain[name])
            else:
                del plain[name]
        sets = {"": built, " again": again, " listed": listed, " plain": plain}
        return {who + what: asked(who, objects, folder) for what, objects in sets.items() for who in ("libbpf", "purebpf")}


def differences(a: Asked, b: Asked) -> list[str]:
    """In words, for the test that fails."""
    out = [f"loaded: {a.loaded}, {b.loaded}"] if a.loaded != b.loaded else []
    for one, two in ((a.programs, b.programs), (a.maps, b.maps)):
        out += [f"{name}: {one.get(name)}, {two.get(name)}" for name in {**one, **two} if one.get(name) != two.get(name)]
    return out + ([f"entries: {a.entries}, {b.entries}"] if a.entries != b.entries else [])


def without_places(one: Asked) -> Asked:
    """Without the places of the lines' texts among the strings, which a writer chooses: 16 bytes are a line's instruction, file, text,
    number."""
    def cut(program: tuple[str, ...]) -> tuple[str, ...]:
        records = [program[LINES][at:at + 8] + program[LINES][at + 24:at + 32] for at in range(0, len(program[LINES]), 32)]
        return (*program[:LINES], "".join(records), *program[LINES + 1:])

    return one._replace(programs={name: cut(program) for name, program in one.programs.items()})


def builds(told: dict[str, dict[str, Asked]], name: str) -> list[str]:
    found = [one for one in told["libbpf"] if one.endswith(f" {name}")]
    assert found
    return found


@pytest.mark.kernel
@pytest.mark.parametrize("name", sorted(corpus.sources()))
def test_we_ask_what_libbpf_asks(told: dict[str, dict[str, Asked]], name: str) -> None:
    for one in builds(told, name):
        found = differences(told["libbpf"][one], told["purebpf"][one])
        assert bool(found) == (name in OTHERWISE), (one, found)


@pytest.mark.kernel
@pytest.mark.parametrize("kind", ["again", "listed"])
@pytest.mark.parametrize("who", ["libbpf", "purebpf"])
@pytest.mark.parametrize("name", sorted(corpus.sources()))
def test_a_copy_asks_the_same(told: dict[str, dict[str, Asked]], name: str, who: str, kind: str) -> None:
    for one in builds(told, name):
        assert not differences(without_places(told[who][one]), without_places(told[f"{who} {kind}"][one])), one


@pytest.mark.kernel
@pytest.mark.parametrize("who", ["libbpf", "purebpf"])
def test_a_plain_listing_keeps_core(told: dict[str, dict[str, Asked]], who: str) -> None:
    """Its programs are sent as the object's are; types and source lines are the text's."""
    assert len(told[f"{who} plain"]) >= 26
    for name, copy in told[f"{who} plain"].items():
        if name.endswith("core_type_id"):  # whose answer is a number in the object's own types
            continue
        for program, asked_for in told[who][name].programs.items():
            assert copy.programs[program][LINES + 1:] == asked_for[LINES + 1:], name


@pytest.mark.kernel
def test_the_ear_hears(told: dict[str, dict[str, Asked]]) -> None:
    """Nothing above would fail if nothing were written down."""
    all_of_it = list(told["libbpf"].values())
    assert len(all_of_it) >= 240 and sum(one.loaded for one in all_of_it) >= 180
    assert sum(len(one.programs) for one in all_of_it) >= 240 and sum(len(one.maps) for one in all_of_it) >= 100
    assert sum(len(one.entries) for one in all_of_it) >= 20
    assert any(program[5] != "0" for one in all_of_it for program in one.programs.values())  # a BTF id
    assert any(len(program[8]) > 100 for one in all_of_it for program in one.programs.values())  # line info


def test_a_difference_is_found() -> None:
    one = Asked(True, {"f": ("0", "b7")}, {"m": ("1",)}, [("m", "00", "01")])
    for field, other in (("loaded", False), ("programs", {}), ("maps", {"m": ("2",)}), ("entries", [])):
        assert differences(one, one._replace(**{field: other}))
    assert not differences(one, one)
