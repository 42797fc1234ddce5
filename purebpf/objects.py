"""Objects of others in Python: `from_c` opens one with its maps, programs and variables as attributes, `link` joins several.

    counter = bpf.from_c("counter.o")
    with counter.load() as k:
        print(k[counter.counts], k["limit"].value)

`dir(counter)`, and so an editor's completion, knows the names. `purebpf skel` writes the same as a typed module.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypeVar

from .errors import FormatError
from .spec import ObjectSpec, RunResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .loader import Object

T_co = TypeVar("T_co", covariant=True)
Part = ObjectSpec | str | os.PathLike[str]


class Named(NamedTuple):
    """Something of an object that is not loaded: `k[it]` is the live one."""

    kind: str
    name: str


def spec_of(part: Part) -> ObjectSpec:
    """An object: as it is, or read from a file."""
    if isinstance(part, ObjectSpec):
        return part
    from . import elf

    return elf.read(part)


def link(*parts: Part, name: str = "linked") -> ObjectSpec:
    """One object of several: files, or specs of `bpf.build` and others. FormatError for whatever contradicts itself, with
    the names of both."""
    from .linker import link as link_specs

    labels = [part.name if isinstance(part, ObjectSpec) else os.fspath(part) for part in parts]
    return link_specs([spec_of(part) for part in parts], labels, name)


class CObject:
    """An object's maps, programs and variables by name; `spec` is all of it."""

    def __init__(self, spec: ObjectSpec) -> None:
        self.spec = spec
        self._known: dict[str, Named] = {}
        for kind, names in (("variable", [v.name for d in spec.data.values() for v in d.vars]), ("map", list(spec.maps)),
                            ("program", list(spec.programs))):
            self._known.update((name, Named(kind, name)) for name in names)

    def __getattr__(self, name: str) -> Named:
        known: Mapping[str, Named] = self.__dict__.get("_known", {})
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, 1)
            raise AttributeError(f"the object has no {name!r}" + (f": did you mean {near[0]!r}?" if near else ""))
        return known[name]

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._known})

    def __repr__(self) -> str:
        return f"<CObject {self.spec.name!r}: {', '.join(self._known)}>"

    def load(self, **options: Any) -> Object:
        """Load it; see `loader.load`. Programs are attached where their section names say unless attach=False."""
        from .loader import load

        options.setdefault("attach", True)
        return load(self.spec, **options)

    def simulate(self, program: str | Named, data: bytes = b"", **options: Any) -> RunResult:
        """Run a program once in the VM, without any privilege."""
        from .vm import Machine

        return Machine(self.spec).run(program if isinstance(program, str) else program.name, data, **options)


def from_c(source: Part | bytes) -> CObject:
    """The object of a file (clang's, gcc's, anybody's), with its names as attributes."""
    if isinstance(source, bytes):
        from . import elf

        return CObject(elf.read(source))
    return CObject(spec_of(source))


class Table(Generic[T_co]):
    """What `purebpf skel` writes modules with: the attributes of a loaded object, typed by its subclasses."""

    _object_file: str = ""
    _object_name: str = "object"

    def __init__(self, **options: Any) -> None:
        self._object = from_c(self.spec()).load(**options)

    @classmethod
    def spec(cls) -> ObjectSpec:
        """The object inside of this module."""
        from base64 import b85decode
        from zlib import decompress

        from . import elf

        return elf.read(decompress(b85decode("".join(cls._object_file.split()))))._replace(name=cls._object_name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._object[name]
        except KeyError as error:
            raise AttributeError(str(error)) from None

    @property
    def loaded(self) -> Object:
        """All of the loaded object."""
        return self._object

    def close(self) -> None:
        """Detach and close everything."""
        self._object.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


__all__ = ["CObject", "FormatError", "Named", "Table", "from_c", "link", "spec_of"]
