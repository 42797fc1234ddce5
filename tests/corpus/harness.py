"""Runs a program of the corpus in every judge: the VM, the kernel, and CPython where it is plain Python.

README.md says what a program's file looks like. A file is compiled at both levels and for every instruction set
version; each build runs in the VM and is loaded into the kernel, where one is to be had.

    python -m tests.corpus.harness [folder or file …]      what passes, and what stands in the way of the rest
"""

from __future__ import annotations

import ast
import importlib.util
import linecache
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from purebpf.api import compile_all, module_programs
from purebpf.errors import CompileError
from purebpf.spec import ObjectSpec

from .judges import Judge, Kernel, Vm
from .values import Wrong, expect, plain, same

HERE = Path(__file__).parent
KEYS = frozenset("run data ctx maps set constants trigger times retval after ctx_after maps_after globals_after "
                 "records prints big later".split())
_MODULES: dict[Path, ModuleType] = {}
_SPECS: dict[Path, list[ObjectSpec]] = {}


class Build(NamedTuple):
    """One way to compile a file; `kernel` "" is the oldest that has what it asks for."""

    level: int
    cpu: int
    kernel: str
    target: str = "bpf"

    def __str__(self) -> str:
        return f"level {self.level}, cpu v{self.cpu}, {self.target}, for {self.kernel or 'the oldest kernel'}"


# The likeliest first. Loops have other forms for other kernels. Of another byte order than this machine's the VM alone is judge.
OTHER = "bpfel" if sys.byteorder == "big" else "bpfeb"
BUILDS = (Build(2, 3, ""), Build(0, 3, "6.9"), Build(2, 1, ""), Build(2, 2, "5.17"), Build(2, 4, "6.9"),
          Build(2, 3, "", OTHER), Build(0, 1, "6.9", OTHER), Build(2, 4, "6.9", OTHER))


class Call(NamedTuple):
    """`f(1, 2)` of CALLS: the expression, its answer, and the program that computes it from a packet with the arguments."""

    text: str
    answer: Any
    program: str
    values: list[int]

    def packet(self, byteorder: Any) -> bytes:
        """The arguments as 64-bit numbers, filled up to what test_run takes."""
        return b"".join((v & (1 << 64) - 1).to_bytes(8, byteorder) for v in self.values).ljust(64, b"\0")


def programs() -> list[str]:
    """Every program of the corpus, as `folder/name`."""
    return sorted(str(p.relative_to(HERE).with_suffix("")) for p in HERE.glob("*/*.py") if p.parent.name != "mistakes")


def load_module(path: Path) -> ModuleType:
    """The file, imported once, with probes for its CALLS."""
    if path in _MODULES:
        return _MODULES[path]
    name = f"corpus_{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    _MODULES[path] = module
    return module


# --- plain functions: what CPython computes, and programs that compute the same -----------------------------------------


def calls(module: ModuleType) -> list[Call]:
    """The file's CALLS, with a program for each function (or expression) added to the module."""
    out = []
    for number, (text, answer) in enumerate(getattr(module, "CALLS", {}).items()):
        values, function = _numbers(text)
        program = f"probe_{function}" if function else f"probe_{number}"
        if program not in vars(module):
            _define(module, program, *_probe(module, program, function, text))
        out.append(Call(text, answer, program, values))
    return out


def _numbers(text: str) -> tuple[list[int], str]:
    """The arguments of `f(1, -2)` and f's name; no name if it is another kind of expression."""
    tree = ast.parse(text, mode="eval").body
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and not tree.keywords:
        try:
            values = [ast.literal_eval(a) for a in tree.args]
        except ValueError:
            return [], ""
        if all(type(v) is int for v in values):
            return values, tree.func.id
    return [], ""


def _probe(module: ModuleType, name: str, function: str, text: str) -> tuple[str, str]:
    if not function:
        return f"i64({text})", ""
    code = getattr(vars(module)[function], "function", vars(module)[function])
    noted = code.__annotations__
    parameters = code.__code__.co_varnames[: code.__code__.co_argcount]
    fields = "".join(f"    a{i}: {'u64' if _unsigned(noted.get(p)) else 'i64'}\n" for i, p in enumerate(parameters))
    taken = ", ".join(_narrowed(noted.get(p), f"given.a{i}") for i, p in enumerate(parameters))
    return f"i64({function}({taken}))", fields


def _unsigned(word: Any) -> bool:
    return str(getattr(word, "name", word)).startswith("u")


def _narrowed(word: Any, text: str) -> str:
    """Annotated parameters get a number of their width: what CPython was given fits into it."""
    name = str(getattr(word, "name", word))
    return f"bpf.{name}({text})" if name in ("u8", "u16", "u32", "i8", "i16", "i32") else f"({text} != 0)" if word is bool else text


def _define(module: ModuleType, name: str, expression: str, fields: str) -> None:
    text = f"""import purebpf as bpf
from purebpf import Global, i64, u64
answer_{name} = Global[i64](0)
@bpf.struct
class Args_{name}:
{fields or "    nothing: u64"}
@bpf.xdp
def {name}(ctx):
    given = ctx.packet.pull(Args_{name})
    if given is None:
        return 1
    answer_{name}.value = {expression}
    return 2
"""
    file = f"<{module.__name__}.{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    exec(compile(text, file, "exec"), module.__dict__)


# --- one file -----------------------------------------------------------------------------------------------------------


def compiled(path: Path) -> list[ObjectSpec]:
    """The file's object for each of BUILDS. Raises what the compiler raises."""
    if path not in _SPECS:
        module = load_module(path)
        calls(module)
        found = module_programs(module)
        specs = []
        for build in BUILDS:
            with _named(str(build)):
                specs.append(_built(found, build))
        _SPECS[path] = specs
    return _SPECS[path]


def _built(programs: list[Any], build: Build) -> ObjectSpec:
    """The object for a kernel; if that lacks what the programs ask for (or its loops take too much of the stack), for the
    oldest that has it."""
    try:
        return compile_all(*programs, **build._asdict()).spec
    except CompileError as error:
        if not build.kernel or any(d.code not in ("target", "stack-too-large") for d in error.diagnostics):
            raise
    return compile_all(*programs, **build._replace(kernel="")._asdict()).spec


class _named:
    """Says in which build something went wrong."""

    def __init__(self, build: str) -> None:
        self.build = build

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: object) -> None:
        if isinstance(error, Exception):
            error.add_note(f"({self.build})")


def check(name: str, judge: Judge) -> None:
    """Every case of the file in one judge, in every build. Raises what goes wrong first."""
    specs, module = compiled(HERE / f"{name}.py"), load_module(HERE / f"{name}.py")
    if judge.name not in getattr(module, "JUDGES", ("VM", "kernel")):  # type: ignore[attr-defined]
        return
    for build, spec in zip(BUILDS, specs):
        if build.target == OTHER and judge is not Vm:
            continue
        cases = _cases(module, spec.byteorder)
        with _named(f"{judge.name}, {build}"):  # type: ignore[attr-defined]
            if not cases:
                judge(spec, {}).close()
            for number, case in enumerate(cases, 1):
                with _named(f"case {number}"):
                    _one(judge, spec, case)


def _cases(module: ModuleType, byteorder: str) -> list[dict[str, Any]]:
    """The file's cases and those of its CALLS, on a machine of that byte order."""
    cases = [{**case, **case.get("big", {})} if byteorder == "big" else case for case in getattr(module, "CASES", ())]
    for call in calls(module):
        wanted = call.answer if not isinstance(call.answer, int) else int(call.answer) & (1 << 64) - 1
        cases.append({"run": call.program, "data": call.packet(byteorder), "retval": 2, "globals_after": {
            f"answer_{call.program}": lambda got, wanted=wanted: got & (1 << 64) - 1 == wanted}})
    return cases


def check_python(name: str) -> None:
    """The file's CALLS in CPython."""
    module = load_module(HERE / f"{name}.py")
    for text, answer in getattr(module, "CALLS", {}).items():
        expect(text, eval(text, module.__dict__), answer)


def expect_map(name: str, live: Any, wanted: dict[Any, Any]) -> None:
    """A hash holds just what is named; of an array the named entries count."""
    if live.spec_type == "array":
        for key, value in wanted.items():
            expect(f"{name}[{key}]", live[key], value)
        return
    got = live.items()
    if len(got) != len(wanted) or not all(any(same(k, key) and same(v, value) for k, v in got)
                                          for key, value in wanted.items()):
        raise Wrong(f"map {name} is {[(plain(k), plain(v)) for k, v in got]}, not "
                    f"{[(plain(k), plain(v)) for k, v in wanted.items()]}")


def _one(judge: Judge, spec: ObjectSpec, case: dict[str, Any]) -> None:
    unknown = set(case) - KEYS
    assert not unknown, f"a case has no {unknown}; it has {sorted(KEYS)}"
    run = case.get("run", 0)
    run = list(spec.programs)[run] if isinstance(run, int) else run
    live = judge(spec, case.get("constants", {}))
    try:
        for name, contents in case.get("maps", {}).items():
            fill(live, name, contents)
        for name, value in case.get("set", {}).items():
            live.write(name, value)
        records: dict[str, list[Any]] = {name: [] for name in case.get("records", ())}
        for _ in range(case.get("times", 1)):
            result = live.run(run, case)
            for name, taken in records.items():
                taken += live.map(name).taken()
        _when_done(live, case, result, records)
    finally:
        live.close()


def _when_done(live: Vm | Kernel, case: dict[str, Any], result: Any, records: dict[str, list[Any]]) -> None:
    """What is afterwards; where the kernel goes on by itself (`later`), it has a few seconds until it is so."""
    patience = time.monotonic() + 5 * case.get("later", False)
    while True:
        try:
            return _judge(live, case, result, records)
        except Wrong:
            if time.monotonic() > patience:
                raise
        time.sleep(0.01)


def fill(live: Vm | Kernel, name: str, contents: Any) -> None:
    """What is in a map before: entries, a queue's values in order, or the contents of inner maps."""
    outer = live.map(name)
    for key, value in contents.items() if isinstance(contents, dict) else enumerate(contents):
        if outer.spec_type == "map of maps":
            inner = live.inners[name, key] = live.new_inner(name)
            for inner_key, one in value.items():
                inner.map[inner_key] = one
            value = inner.map
        if outer.spec_type == "queue":
            outer.map.push(value)
        else:
            outer.map[key] = value


def _judge(live: Vm | Kernel, case: dict[str, Any], result: Any, records: dict[str, list[Any]]) -> None:
    if "retval" in case and result is not None and "trigger" not in case:
        wanted = case["retval"]
        expect("the answer", result.retval, wanted if callable(wanted) else int(wanted) & 0xFFFFFFFF)
    if "after" in case:
        expect("the packet", result.data, case["after"])
    for name, value in case.get("ctx_after", {}).items():
        expect(f"ctx.{name}", getattr(result.ctx, name), value)
    for name, wanted in case.get("maps_after", {}).items():
        if callable(wanted):
            expect(f"map {name}", live.map(name).items(), wanted)
        elif live.map(name).spec_type == "map of maps":
            for key, contents in wanted.items():
                expect_map(f"{name}[{key}]", live.inners[name, key], contents)
        elif isinstance(wanted, dict):
            expect_map(name, live.map(name), wanted)
        else:
            expect(f"what {name} holds", live.map(name).taken(), wanted)
    for name, wanted in case.get("globals_after", {}).items():
        expect(f"global {name}", live.read(name), wanted)
    for name, wanted in case.get("records", {}).items():
        expect(f"the records of {name}", records[name], wanted)
    printed = live.prints()
    if "prints" in case and printed is not None:
        expect("what is printed", printed, case["prints"])


# --- by hand ------------------------------------------------------------------------------------------------------------


def why(error: BaseException) -> str:
    """One line about what went wrong."""
    text = str(error).strip().splitlines() or [""]
    line = text[0].replace(f"{HERE}/", "")
    return f"{type(error).__name__}: {line} {' '.join(getattr(error, '__notes__', ()))}".strip()


def attempt(name: str, kernel: bool = True) -> tuple[str, str]:
    """("", "") if it passes, else where it fails first ("" for the build and the VM, "kernel") and why."""
    where = ""
    try:
        check_python(name)
        check(name, Vm)
        where = "kernel"
        if kernel:
            check(name, Kernel)
    except Exception as error:
        return where or "all", why(error)
    return "", ""


def main(arguments: Iterable[str]) -> int:
    wanted = [str(Path(a).resolve().relative_to(HERE).with_suffix("")) for a in arguments]
    bad = 0
    for name in programs():
        if wanted and not any(name == w or name.startswith(w + "/") for w in wanted):
            continue
        where, reason = attempt(name)
        bad += bool(where)
        print(f"{name} | {where} | {reason}" if where else f"{name} passes", flush=True)
    return bool(bad)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
