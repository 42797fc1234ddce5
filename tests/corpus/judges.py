"""The VM and the kernel with one face: an object for one case, its maps and globals, and a run of a program."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from purebpf.errors import PureBpfError
from purebpf.spec import ObjectSpec

from . import triggers


class LiveMap(NamedTuple):
    """A map of either judge."""

    map: Any
    spec_type: str

    def __getitem__(self, key: Any) -> Any:
        return self.map[key]

    def items(self) -> list[tuple[Any, Any]]:
        return list(self.map.items())

    def taken(self) -> list[Any]:
        """What a queue, a stack or a ring buffer holds, taken out."""
        if self.spec_type == "queue":
            return list(_pop_all(self.map))
        return [one.data if isinstance(one, tuple) and hasattr(one, "data") else one for one in self.map.read()]


def _pop_all(live: Any) -> Iterator[Any]:
    while True:
        try:
            yield live.pop()
        except (KeyError, PureBpfError):
            return


def _shape(spec: ObjectSpec, name: str) -> str:
    type = spec.maps[name].type
    return {2: "array", 6: "array", 12: "map of maps", 13: "map of maps", 22: "queue", 23: "queue"}.get(int(type), "table")


class Vm:
    """The user-space VM, for one case: maps and variables are fresh."""

    name = "VM"

    def __init__(self, spec: ObjectSpec, constants: Mapping[str, Any]) -> None:
        from purebpf.vm import Machine
        from purebpf.vm.world import Process

        me = Process(os.getpid(), os.getpid(), os.getppid(), os.getuid(), os.getgid(), triggers.comm())
        self.spec, self.machine = spec, Machine(spec, process=me)
        self.inners: dict[tuple[str, Any], LiveMap] = {}
        for name, value in constants.items():
            self.machine.vars[name] = value

    def new_inner(self, name: str) -> LiveMap:
        inner = self.spec.maps[name].inner
        assert inner is not None
        return LiveMap(self.machine.new_map(inner), "table")

    def map(self, name: str) -> LiveMap:
        return LiveMap(self.machine.maps[name], _shape(self.spec, name))

    def read(self, name: str) -> Any:
        return self.machine.vars[name]

    def write(self, name: str, value: Any) -> None:
        self.machine.vars[name] = value

    def run(self, program: str, case: dict[str, Any]) -> Any:
        ctx = case.get("ctx")
        if ctx is None and self.spec.programs[program].prog_type not in triggers.PACKETS:
            ctx = bytes(512)
        return self.machine.run(program, case.get("data", triggers.FRAME), ctx)

    def prints(self) -> list[str] | None:
        return self.machine.trace

    def close(self) -> None:
        pass


class Kernel:
    """The running kernel, for one case: the object is loaded anew."""

    name = "kernel"
    log_level = 0  # a log of all that is refused

    def __init__(self, spec: ObjectSpec, constants: Mapping[str, Any]) -> None:
        from purebpf import loader

        self.spec, self.object = spec, loader.load(spec, constants=constants, log_level=self.log_level)
        self.inners: dict[tuple[str, Any], LiveMap] = {}

    def new_inner(self, name: str) -> LiveMap:
        from purebpf.loader.create import create_map
        from purebpf.loader.livemaps import live

        inner = self.spec.maps[name].inner
        assert inner is not None
        return LiveMap(live(create_map(inner, None).fd, inner, self.spec.btf), "table")

    def map(self, name: str) -> LiveMap:
        return LiveMap(self.object.maps[name], _shape(self.spec, name))

    def read(self, name: str) -> Any:
        return self.object.variables[name].value

    def write(self, name: str, value: Any) -> None:
        self.object.variables[name].value = value

    def run(self, program: str, case: dict[str, Any]) -> Any:
        one = self.object.programs[program]
        if "trigger" in case:
            with one.attach():
                return triggers.TABLE[case["trigger"]]()
        packet = self.spec.programs[program].prog_type in triggers.PACKETS
        return one.test_run(case.get("data", triggers.FRAME) if packet else b"", case.get("ctx"))

    def prints(self) -> list[str] | None:
        return None  # the trace pipe is everybody's

    def close(self) -> None:
        for one in self.inners.values():
            one.map.close()
        self.object.close()


class Hurried(Kernel):
    """For what is expected to fail: the verifier's figures only, or too complex a program costs its whole log."""

    log_level = 4


Judge = Callable[[ObjectSpec, Mapping[str, Any]], Vm | Kernel]
