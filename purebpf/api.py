"""`bpf.build`, `bpf.load` and what programs do when asked to run: the compiler and the loader (or the VM) joined.

Neither room knows the other; this file hands the compiler's ObjectSpec to the loader and keeps which declaration became
which name, so that `k[calls]` finds the live map of the declaration `calls`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from .compiler import Compiled, Options, compile
from .dsl.hooks import Program, programs_of
from .spec import ObjectSpec, RunResult
from .target import VM, Target
from .target import target as target_of

if TYPE_CHECKING:
    from .btf import Btf
    from .dsl import live, maps
    from .dsl.globals import Variable
    from .dsl.typed import Text
    from .frontend.hook import FormatField
    from .loader import Kernel, LoadedProgram, Object
    from .loader.object import ProgramStats
    from .loader.symbolize import KernelSymbols
    from .loader.tracepipe import TraceLine

K = TypeVar("K")
V = TypeVar("V")


def module_programs(module: ModuleType | Mapping[str, Any]) -> list[Program[..., Any]]:
    """The programs a module (or a namespace) defines, in order; those of objects too that it holds."""
    names = module if isinstance(module, Mapping) else vars(module)
    found: list[Program[..., Any]] = []
    for one in names.values():
        found += [one] if isinstance(one, Program) else programs_of(one)
    return list(dict.fromkeys(found))


def _programs(given: tuple[Any, ...]) -> list[Program[..., Any]]:
    programs: list[Program[..., Any]] = []
    for one in given:
        if isinstance(one, Program):
            programs.append(one)
        elif isinstance(one, ModuleType):
            programs += module_programs(one)
        elif isinstance(one, type) and any(isinstance(v, Program) for v in vars(one).values()):
            raise TypeError(f"the programs of {one.__name__} belong to its instances: {one.__name__}(…)")
        else:
            methods = programs_of(one)
            if not methods:
                raise TypeError(f"{one!r} is neither a BPF program nor a module or an object with programs")
            programs += methods
    if not programs:
        raise TypeError("nothing to build: name a program, or a module that has some")
    return list(dict.fromkeys(programs))


def compile_all(*programs: Any, name: str = "purebpf", **options: Any) -> Compiled:
    """Compile programs for a target (`choices` has the options), with facts about tracepoints and other hooks from the running kernel where
    it shows them."""
    from .errors import CompileError

    try:
        return compile(_programs(programs), choices(**options), name)
    except CompileError as error:
        raise error.with_traceback(None) from None  # it shows the user's lines; the compiler's own say nothing more


def choices(target: str | Target = "bpf", cpu: int = 3, kernel: str = "", lacks: Collection[str] = (), **options: Any) -> Options:
    """How to compile, with what the running kernel shows where nothing else is said."""
    if "formats" not in options:  # those of another kernel
        options["formats"] = tracepoint_format
        options.setdefault("hooks", hook_names)
    chosen = target_of(target, cpu, kernel)._replace(lacks=frozenset(lacks)) if isinstance(target, str) else target
    return Options(target=chosen, **options)


def tracepoint_format(category: str, name: str) -> list[FormatField] | None:
    """A tracepoint's record from tracefs; None where tracefs, or the tracepoint, is not to be had."""
    from .errors import PureBpfError
    from .frontend.hook import FormatField
    from .loader import tracefs

    try:
        fields = tracefs.tracepoint_format(category, name)
    except (PureBpfError, OSError):
        return None
    return [FormatField(f.name, f.type, f.offset, f.size, f.signed) for f in fields]


def hook_names(kind: str, name: str, prefix: str) -> Collection[str] | None:
    """The hooks that the running kernel has, where `name` is none of them; None where it is one, or nothing is to be seen."""
    from .loader import hooknames

    return hooknames.others(kind, name, prefix)


def build(*programs: Any, license: str = "GPL", name: str = "purebpf", target: str = "bpf", cpu: int = 3,
          kernel: str = "") -> ObjectSpec:
    """Compile programs (or modules of programs) and all they reach into one object.

    `target`: "bpfel" and "bpfeb" are little- and big-endian machines, "bpf" is like this one. `cpu` is the instruction set version (1 to 4). `kernel`: a release such as "6.1", which must have what the programs ask
    for, and whose means the compiler may use; without it the object is for the oldest kernel, from 5.10 on, that has what
    they ask for by themselves. Raises CompileError with everything that is wrong."""
    return compile_all(*programs, name=name, license=license, target=target, cpu=cpu, kernel=kernel).spec


def load(*programs: Any, license: str = "GPL", constants: Mapping[Any, Any] | None = None, attach: bool = True,
         cpu: int = 3, **options: Any) -> Loaded:
    """Compile, load and attach; everything is detached and closed when the `with` block ends.

    Programs whose decorator says where (a tracepoint, a kprobe) are attached at once unless `attach` is False; others
    by `k[program].attach(target)`. `constants` sets Const variables. Further options are `loader.load`'s; what finds no room
    in a ring buffer is counted (`k[ring].lost`) unless `count_lost` is False. Raises
    CompileError, VerifierError, AttachError, NotSupported or KernelError; then nothing is left behind."""
    from . import loader

    mine = loader.Kernel(options.pop("btf", None)) if options.get("kernel") is None else None
    kernel: Kernel = mine or options["kernel"]  # the compiler and the loader read its BTF once
    options["kernel"] = kernel
    try:
        checked: dict[str, Any] = {"hooks": None} if options.get("targets") else {}  # those hang at other places than they say
        compiled = compile_all(*programs, license=license, cpu=cpu, kernel=loader.running(), lacks=loader.lacks(), btf=lambda: _types(kernel), **checked)
        for option in ("constants", "maps"):
            given = constants if option == "constants" else options.get(option)
            options[option] = {compiled.names.get(key, key): value for key, value in (given or {}).items()}
        return Loaded(loader.load(compiled.spec, attach=attach, **{"count_lost": True, **options}), compiled)
    finally:
        if mine is not None:
            mine.close()


def _types(kernel: Kernel) -> Iterator[Btf]:
    """The types to compile for, then those of modules; none where there are none to see."""
    from .errors import PureBpfError

    try:
        yield kernel.target
    except (PureBpfError, OSError):
        return
    if kernel.target is kernel.vmlinux:
        yield from (btf for _, btf in kernel.modules())


class Loaded:
    """A loaded object: `k[declaration]` or `k["name"]` is the live map, variable or program."""

    def __init__(self, object: Object, compiled: Compiled) -> None:
        self.object, self.spec, self._names = object, compiled.spec, compiled.names

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, key: maps.PerCpuHash[Text, V] | maps.LruPerCpuHash[Text, V]) -> live.LiveTable[str, live.PerCpuValue[V]]: ...
        @overload
        def __getitem__(self, key: maps.HashMap[Text, Text] | maps.LruHash[Text, Text]) -> live.LiveTable[str, str]: ...
        @overload
        def __getitem__(self, key: maps.HashMap[Text, V] | maps.LruHash[Text, V]) -> live.LiveTable[str, V]: ...  # type: ignore[overload-overlap]  # no key is both
        @overload
        def __getitem__(self, key: maps.HashMap[K, Text] | maps.LruHash[K, Text]) -> live.LiveTable[K, str]: ...
        @overload
        def __getitem__(self, key: maps.Array[Text]) -> live.LiveTable[int, str]: ...
        @overload
        def __getitem__(self, key: maps.PerCpuHash[K, V] | maps.LruPerCpuHash[K, V]) -> live.LiveTable[K, live.PerCpuValue[V]]: ...
        @overload
        def __getitem__(self, key: maps.HashMap[K, V] | maps.LruHash[K, V] | maps.LpmTrie[K, V]) -> live.LiveTable[K, V]: ...
        @overload
        def __getitem__(self, key: maps.PerCpuArray[V]) -> live.LiveTable[int, live.PerCpuValue[V]]: ...
        @overload
        def __getitem__(self, key: maps.Array[V]) -> live.LiveTable[int, V]: ...
        @overload
        def __getitem__(self, key: maps.RingBuf[V] | maps.PerfEventArray[V]) -> live.LiveRing[V]: ...
        @overload
        def __getitem__(self, key: maps.Queue[V] | maps.Stack[V]) -> live.LiveQueue[V]: ...
        @overload
        def __getitem__(self, key: maps.BloomFilter[V]) -> live.LiveBloom[V]: ...
        @overload
        def __getitem__(self, key: maps.ProgArray) -> live.LiveTable[int, Any]: ...
        @overload
        def __getitem__(self, key: maps.ArrayOfMaps[V]) -> live.LiveTable[int, Any]: ...
        @overload
        def __getitem__(self, key: maps.HashOfMaps[K, V]) -> live.LiveTable[K, Any]: ...
        @overload
        def __getitem__(self, key: Variable[Text]) -> live.LiveVariable[str]: ...
        @overload
        def __getitem__(self, key: Variable[V]) -> live.LiveVariable[V]: ...
        @overload
        def __getitem__(self, key: Program[..., Any]) -> LoadedProgram: ...
        @overload
        def __getitem__(self, key: Any) -> Any: ...

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self.object[key]
        try:
            name = self._names[key]
        except (KeyError, TypeError):
            if isinstance(key, Program):
                return self.object[key]
            raise KeyError(f"no loaded program uses {key!r}") from None
        return self.object[name]

    def __contains__(self, key: Any) -> bool:
        if isinstance(key, str):
            return key in self.object
        return key in self._names

    @property
    def maps(self) -> Mapping[str, Any]:
        return self.object.maps

    @property
    def programs(self) -> Mapping[str, Any]:
        return self.object.programs

    @property
    def links(self) -> list[Any]:
        return self.object.links

    def attach(self) -> None:
        """Attach every program that says where, if `load` was told not to."""
        self.object.attach()

    def wait(self, seconds: float | None = None) -> None:
        """Let time pass, `seconds` or until Ctrl-C, and give events to the callbacks that `on` set meanwhile."""
        self.object.wait(seconds)

    def stats(self) -> dict[str, ProgramStats]:
        """How often each program ran, and how long, while `loader.statistics()` was on."""
        return self.object.stats()

    def trace(self, seconds: float | None = None) -> Iterator[TraceLine]:
        """What programs print, as it comes, for `seconds` (None: for ever)."""
        return self.object.trace(seconds)

    def close(self) -> None:
        """Detach and close everything."""
        self.object.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self.object)


def simulate(program: Program[..., Any], *, data: bytes = b"", ctx: Any = None, repeat: int = 1,
             target: str = "bpf", **options: Any) -> RunResult:
    """Compile a program and run it in the VM; `target`: as of `build`; `options` are `vm.Machine`'s."""
    from .vm import Machine

    machine = Machine(compile_all(program, target=target, kernel=VM, hooks=None).spec, **options)  # the VM has every hook
    return machine.run(program.name, data, ctx, repeat=repeat)


def test_run(program: Program[..., Any], *, data: bytes = b"", ctx: Any = None, repeat: int = 1,
             **options: Any) -> RunResult:
    """Compile a program, load it, run it once with BPF_PROG_TEST_RUN. The maps in the result are copies: the live ones
    are gone with the program."""
    with load(program, attach=False, **options) as k:
        result: RunResult = k[program].test_run(data=data, ctx=ctx, repeat=repeat)
        return result._replace(maps={name: _copy(map) for name, map in k.maps.items()})


def kernel_symbol(address: int) -> str:
    """The name of the kernel function at an address, or the address in hexadecimal where none is known."""
    return _kernel_symbols().frame(address).name or f"{address:#x}"


@cache
def _kernel_symbols() -> KernelSymbols:
    from .loader.symbolize import KernelSymbols

    return KernelSymbols()


def _copy(live: Any) -> Any:
    return live.to_dict() if hasattr(live, "to_dict") else None
