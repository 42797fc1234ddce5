"""What objects ask of a kernel's types: the smallest BTF that answers the same, and whether a kernel answers at all.

Takes the CO-RE relocations of objects (`Need`) and a kernel's types; gives a small Btf, or a line for every difference.
"""

from __future__ import annotations

from typing import Iterable, Iterator, NamedTuple, Sequence

from ..errors import BtfError
from . import core
from . import types as t
from .container import Btf, Builder
from .layout import resolve


class Need(NamedTuple):
    """A CO-RE relocation: `what` it is about in words is `core.describe`'s."""

    btf: Btf
    type_id: int
    access: str
    kind: int

    @property
    def what(self) -> str:
        return core.describe(self.btf, self.type_id, self.access, self.kind)


class Answer(NamedTuple):
    """`value` is what the kernel answers, None: it lacks the thing, and a program that gets there is refused. `problem`:
    why there is no answer at all ("" if there is one)."""

    need: Need
    value: int | None
    problem: str = ""


def answers(kernel: Btf, needs: Iterable[Need]) -> Iterator[Answer]:
    """What a kernel says to each need, once each."""
    relocators: dict[int, core.Relocator] = {}
    seen: set[tuple[int, int, str, int]] = set()
    for need in needs:
        key = (id(need.btf), need.type_id, need.access, need.kind)
        if key in seen or need.kind in (core.TYPE_ID_LOCAL, core.TYPE_ID_TARGET):
            continue
        seen.add(key)
        relocator = relocators.setdefault(id(need.btf), core.Relocator(need.btf, (kernel,)))
        try:
            found = relocator.relocate(need.type_id, need.access, need.kind)
        except BtfError as error:
            yield Answer(need, None, str(error))
        else:
            yield Answer(need, None if found.poison else found.value)


def differences(one: Btf, other: Btf, needs: Sequence[Need]) -> Iterator[tuple[Answer, Answer]]:
    """What two kernels answer differently."""
    for a, b in zip(answers(one, needs), answers(other, needs), strict=True):
        if (a.value, bool(a.problem)) != (b.value, bool(b.problem)):
            yield a, b


def minimal(kernel: Btf, needs: Iterable[Need]) -> Btf:
    """The types of `kernel` that `needs` look at, structs with the members alone that are asked for, at their places."""
    kept = _Kept(kernel)
    relocators: dict[int, core.Relocator] = {}
    for need in needs:
        if need.kind == core.TYPE_ID_LOCAL:
            continue
        relocator = relocators.setdefault(id(need.btf), core.Relocator(need.btf, (kernel,)))
        local = core.parse_path(need.btf, need.type_id, need.access, need.kind)
        for btf, candidate in relocator.candidates(need.type_id):
            found = core.find_path(local, btf, candidate, need.kind)
            if found is not None:
                kept.path(found, need.kind)
    return kept.build()


class _Kept:
    """Members by struct (None: the whole type), types that are needed for their name or kind."""

    def __init__(self, kernel: Btf) -> None:
        self.kernel = kernel
        self.members: dict[int, set[int]] = {}
        self.whole: set[int] = set()
        self.shallow: set[int] = set()

    def path(self, spec: core.Path, kind: int) -> None:
        if kind > core.FIELD_RSHIFT_U64:
            self._all(spec.root, kind)
            return
        self._chain(spec.root)
        for step in spec.steps:
            one = self.kernel[step.type_id] if step.type_id else None
            if isinstance(one, (t.Struct, t.Union)) and step.name:
                self._anonymous(spec, step.type_id)
                self.members.setdefault(step.type_id, set()).add(step.number)
                self._chain(one.members[step.number].type)

    def _anonymous(self, spec: core.Path, owner: int) -> None:
        """Members without a name on the way from a struct of the path to `owner`."""
        for start in [resolve(self.kernel, spec.root), *(
                resolve(self.kernel, t.references(self.kernel[s.type_id])[s.number]) for s in spec.steps
                if s.name)]:
            self._through(start, owner, 0)

    def _through(self, at: int, owner: int, depth: int) -> bool:
        if at == owner:
            return True
        one = self.kernel[at] if at else None
        if depth > 32 or not isinstance(one, (t.Struct, t.Union)):
            return False
        for index, member in enumerate(one.members):
            if not member.name and self._through(resolve(self.kernel, member.type), owner, depth + 1):
                self.members.setdefault(at, set()).add(index)
                self._chain(member.type)
                return True
        return False

    def _chain(self, type_id: int) -> None:
        """A type with what its size and kind need: typedefs, modifiers and arrays through, pointers without target."""
        while type_id and type_id not in self.shallow:
            self.shallow.add(type_id)
            one = self.kernel[type_id]
            if isinstance(one, t.Array):
                self.shallow.add(one.index_type)
                type_id = one.elem
            elif isinstance(one, (t.Typedef, t.Const, t.Volatile, t.Restrict, t.TypeTag)):
                type_id = one.type
            else:
                return

    def _all(self, type_id: int, kind: int) -> None:
        """A type with everything that comparing it looks at: for existence what is not behind a struct, else all."""
        todo = [type_id]
        while todo:
            number = todo.pop()
            if not number or number in self.whole:
                continue
            self.whole.add(number)
            one = self.kernel[number]
            if kind == core.TYPE_MATCHES or not isinstance(one, (t.Struct, t.Union)):
                todo += t.references(one)

    def build(self) -> Btf:
        order = sorted((self.whole | self.shallow | set(self.members)) - {0})
        ids = {0: 0} | {old: new for new, old in enumerate(order, 1)}
        out = Builder()
        for old in order:
            one = self.kernel[old]
            if isinstance(one, (t.Struct, t.Union)):
                wanted = self.members.get(old, set())
                keep_all = old in self.whole and all(m.type in ids for m in one.members)
                one = one._replace(members=tuple(m for n, m in enumerate(one.members) if keep_all or n in wanted))
            out.append(t.renumber(one, {ref: ids.get(ref, 0) for ref in t.references(one)}))
        return Btf(out.build(), byteorder=self.kernel.byteorder)
