"""What operators do wrong, and what they are told: mistakes/*.txt, whole messages.

A case is a title (`#`), a command (`$`) or an expression (`>>>`), and the text that it gives. `PUREBPF_BLESS=1` writes what is given
now; read the diff. {bpffs}, {here} and {group} stand for places of the test; numbers that the kernel chooses for N.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from purebpf import loader
from purebpf.cli import main
from purebpf.errors import PureBpfError
from purebpf.spec import MapSpec, ObjectSpec
from purebpf.uapi.enums import MapType
from tests.kernel.specs import obj, program
from tests.kernel.test_links import cgroup_root

pytestmark = pytest.mark.kernel
FILES = sorted((Path(__file__).parent / "mistakes").glob("*.txt"))
RETURN, PASS = "r0 = 0\nexit", "r0 = 2\nexit"


class Case(NamedTuple):
    title: str
    call: str
    expected: str


def cases(path: Path) -> list[Case]:
    found = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        title, call, *rest = block.strip("\n").split("\n")
        assert title.startswith("# ") and call.startswith(("$ purebpf ", ">>> ")), block
        found.append(Case(title, call, "\n".join(rest)))
    return found


def pairs() -> ObjectSpec:
    from purebpf.btf import Builder
    from purebpf.btf import types as t

    b = Builder()
    u32, u64 = b.add(t.Int("unsigned int", 4)), b.add(t.Int("unsigned long", 8))
    pair = b.add(t.Struct("pair", 16, (t.Member("a", u64, 0), t.Member("b", u64, 64))))
    maps = (MapSpec("counts", MapType.HASH, 4, 8, 8, key_type=u32, value_type=u64), MapSpec("sizes", MapType.ARRAY, 4, 8, 4),
            MapSpec("pairs", MapType.HASH, 4, 16, 8, key_type=u32, value_type=pair), MapSpec("jobs", MapType.QUEUE, 0, 8, 4),
            MapSpec("next", MapType.PROG_ARRAY, 4, 4, 4))
    return obj("xdp", PASS, maps=maps)._replace(btf=b.build(), programs={"mistaken": program("xdp", PASS, "mistaken"), "at_openat": program("tracepoint/syscalls/sys_enter_openat", RETURN, "at_openat")})


class Place:
    """What the cases are told about: an object with maps and a link, all pinned; files; names that expressions use."""

    def __init__(self, bpffs: str, here: Path, group: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.here, self.group, self.capsys = here, group, capsys
        os.symlink(bpffs, here / "fs")
        self.bpffs = str(here / "fs")
        for name, text in (("empty.o", ""), ("text.o", "no object\n"), ("plain.py", "x = 1\n"), ("broken.py", "def f(:\n"),
                           ("xdp.py", "import purebpf as bpf\n\n@bpf.xdp\ndef f(ctx):\n    return bpf.XDP_PASS\n")):
            (here / name).write_text(text)
        self.k = loader.load(pairs())
        self.k["counts"][1] = 1
        self.k["pairs"][1] = (1, 2)
        self.k["mistaken"].pin(f"{self.bpffs}/prog")
        self.k["counts"].pin(f"{self.bpffs}/counts")
        self.k["mistaken"].attach("veth0", mode="generic").pin(f"{self.bpffs}/link")
        self._made: list[loader.Object] = []

    def close(self) -> None:
        for name in ("link", "prog", "counts"):
            os.unlink(f"{self.bpffs}/{name}")
        self.k.close()

    def load(self, *arguments: Any, **options: Any) -> loader.Object:
        self._made.append(loader.load(*arguments, **options))
        return self._made[-1]

    def run(self, call: str) -> str:
        self.capsys.readouterr()
        if call.startswith("$"):
            words = shlex.split(call.format_map({"bpffs": self.bpffs, "here": self.here, "group": self.group})[2:]
                                if "{'" not in call else call[2:])
            try:
                status = main(words[1:])
            except SystemExit as stop:
                status = int(stop.code or 0)
            except Exception as error:  # noqa: BLE001 - a mistake is answered by a message, never by a traceback
                return f"bare {type(error).__name__}: {error}"
            if status not in (1, 2):
                return f"status {status}"
            return self.plain(self.capsys.readouterr().err)
        names = {"loader": _Loader(self), "obj": obj, "program": program, "RETURN": RETURN, "PASS": PASS, "MapSpec": MapSpec,
                 "group": self.group, "twice": twice, "closed": closed}
        try:
            eval(call[4:], names)
        except (PureBpfError, ValueError, TypeError, KeyError) as error:
            return self.plain(f"{type(error).__name__}: {error}")
        finally:
            while self._made:
                self._made.pop().close()
        return "it succeeded"

    def plain(self, text: str) -> str:
        for real, name in ((self.bpffs, "{bpffs}"), (str(self.here), "{here}"), (self.group, "{group}")):
            if real:
                text = text.replace(real, name)
        text = re.sub(r"\b(program|link|id|ids|map|CPU) \d+", r"\1 N", text)
        text = re.sub(r"(?<=are online: ).*|(?<=is not online: )[\d, ]+", "N ", text)
        text = re.sub(r"\+0x[0-9a-f]+", "+N", text)
        text = re.sub(r"at most \d+ samples", "at most N samples", text)
        return re.sub(r"/\S+/(lib\S+\.so\.\d+)", r"\1", text).rstrip()


class _Loader:
    """`loader`, whose objects are closed after the case."""

    def __init__(self, place: Place) -> None:
        self.load = place.load

    def __getattr__(self, name: str) -> Any:
        return getattr(loader, name)


def twice(k: loader.Object, *arguments: Any, **options: Any) -> None:
    k["prog"].attach(*arguments, **options)
    k["prog"].attach(*arguments, **options)


def closed(k: loader.Object) -> loader.Object:
    k.close()
    return k


@pytest.fixture
def place(netns: None, bpffs: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    root = cgroup_root()
    group = f"{root}/purebpf-mistakes-{os.getpid()}" if root else ""
    if group:
        os.mkdir(group)
    made = Place(bpffs, tmp_path, group, capsys)
    yield made
    made.close()
    if group:
        os.rmdir(group)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_mistakes(path: Path, place: Place) -> None:
    wrong, blessed = [], []
    for case in cases(path):
        needed = [word for word in ("{group}", "(group)") if word in case.call]
        got = case.expected if needed and not place.group else place.run(case.call)
        blessed.append("\n".join([case.title, case.call, got]).rstrip())
        if got != case.expected:
            wrong.append(f"{case.title}\n{case.call}\n--- expected\n{case.expected}\n--- got\n{got}")
    if os.environ.get("PUREBPF_BLESS"):
        path.write_text("\n\n".join(blessed) + "\n", encoding="utf-8")
        return
    assert not wrong, "\n\n".join(wrong)


def test_there_are_a_hundred() -> None:
    every = [case for path in FILES for case in cases(path)]
    assert len(every) >= 100 and len({case.call for case in every}) == len(every)
    for case in every:
        assert case.expected and not case.expected.startswith(("bare ", "it succeeded", "status ")), case
