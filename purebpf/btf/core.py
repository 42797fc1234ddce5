"""CO-RE: what a number in a program is on the kernel at hand. Knows types, not instructions.

A relocation names a local type, an access path and a kind. The local path is read with the local BTF ("member `pid` of
`task_struct`"), the target's types of the same name are searched for the same path by member names, and the answer is
computed from where it leads there.

    path "0:2:1"   index of the root as if it were an array, then member or element indexes     (field kinds)
    path "0"                                                                                    (type kinds)
    path "3"       index of the enumerator                                                      (enum kinds)

The rules (which types are compatible, which kinds have an answer when the target lacks the thing) are libbpf's, so
that an object means the same in every loader.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Sequence

from ..errors import BtfError
from . import types as t
from .container import Btf, Kinds, essential, kind_name
from .layout import Budget, resolve, resolved, size_of

FIELD_BYTE_OFFSET: Final = 0
FIELD_BYTE_SIZE: Final = 1
FIELD_EXISTS: Final = 2
FIELD_SIGNED: Final = 3
FIELD_LSHIFT_U64: Final = 4
FIELD_RSHIFT_U64: Final = 5
TYPE_ID_LOCAL: Final = 6
TYPE_ID_TARGET: Final = 7
TYPE_EXISTS: Final = 8
TYPE_SIZE: Final = 9
ENUMVAL_EXISTS: Final = 10
ENUMVAL_VALUE: Final = 11
TYPE_MATCHES: Final = 12

KIND_NAMES: Final = {  # as llvm-objdump calls them
    FIELD_BYTE_OFFSET: "byte_off", FIELD_BYTE_SIZE: "byte_sz", FIELD_EXISTS: "field_exists", FIELD_SIGNED: "signed",
    FIELD_LSHIFT_U64: "lshift_u64", FIELD_RSHIFT_U64: "rshift_u64", TYPE_ID_LOCAL: "local_type_id",
    TYPE_ID_TARGET: "target_type_id", TYPE_EXISTS: "type_exists", TYPE_SIZE: "type_size", ENUMVAL_EXISTS: "enumval_exists",
    ENUMVAL_VALUE: "enumval_value", TYPE_MATCHES: "type_matches",
}
_DEPTH: Final = 32
_COMPOSITE = (t.Struct, t.Union)
_ENUM = (t.Enum, t.Enum64)


class Relocation(NamedTuple):
    """The answer.

    value     the number on the target
    old       the number on the local types, which the instruction must hold; None: it may hold anything
    poison    the target lacks the thing and the kind has no answer for that: the instruction must never run
    size      of the field on the target, in bytes, for FIELD_BYTE_OFFSET of what is no bit-field; else 0
    old_size  the same on the local types
    resize    a load or store of `old_size` may become one of `size`: both are pointers, or both unsigned integers
    type_id   the target's type, for TYPE_ID_TARGET, with the `Btf` it is of
    btf       the target that answered, None if none did
    """

    value: int
    old: int | None = None
    poison: bool = False
    size: int = 0
    old_size: int = 0
    resize: bool = True
    btf: Btf | None = None


class _Step(NamedTuple):
    """One step of a path: member `name`, the `number`-th of struct `type_id`, or (name "") element `number`."""

    type_id: int
    number: int
    name: str = ""


class Path(NamedTuple):
    """A path in some Btf: where it starts, its named steps, where it ends."""

    btf: Btf
    root: int
    steps: tuple[_Step, ...]
    bit_offset: int


class Relocator:
    """Answers for one object. `targets`: the kernel's BTF, then those of modules, which are searched only for what the
    kernel's lacks."""

    __slots__ = ("local", "targets", "_candidates")

    def __init__(self, local: Btf, targets: Sequence[Btf]) -> None:
        self.local, self.targets = local, targets
        self._candidates: dict[int, list[tuple[Btf, int]]] = {}

    def relocate(self, type_id: int, access: str, kind: int) -> Relocation:
        """The answer to one relocation. BtfError if it contradicts the local types, or if candidates disagree."""
        if kind == TYPE_ID_LOCAL:
            return Relocation(type_id)
        local = parse_path(self.local, type_id, access, kind)
        answers: list[Relocation] = []
        for btf, candidate in self.candidates(type_id):
            found = find_path(local, btf, candidate, kind)
            if found is not None:
                answers.append(_answer(local, found, kind))
        if not answers:
            return _answer(local, None, kind)
        first = answers[0]
        if any((a.value, a.poison) != (first.value, first.poison) for a in answers):
            values = ", ".join(str(a.value) for a in answers)
            raise BtfError(f"relocation {access!r} of {self._name(type_id)}: target types disagree ({values})")
        return first

    def candidates(self, type_id: int) -> list[tuple[Btf, int]]:
        """Target types that have the name and kind of a local type, flavours (`___x`) aside."""
        if type_id not in self._candidates:
            one = self.local[type_id] if type_id else None
            name = essential(getattr(one, "name", ""))
            if one is None or not name:
                raise BtfError(f"type {type_id} ({kind_name(self.local, type_id)}) has no name to look for")
            kinds: Kinds = _ENUM if isinstance(one, _ENUM) else type(one)
            found: list[tuple[Btf, int]] = []
            for number, btf in enumerate(self.targets):
                if number > 0 and found and found[0][0] is self.targets[0]:
                    break
                own = 0 if number == 0 else btf.first
                found += ((btf, i) for i in btf.find_all(name, kinds, flavours=True) if i >= own)
            self._candidates[type_id] = found
        return self._candidates[type_id]

    def _name(self, type_id: int) -> str:
        return f"{kind_name(self.local, type_id)} {getattr(self.local[type_id], 'name', '')}".rstrip()


def local_value(btf: Btf, type_id: int, access: str, kind: int) -> int:
    """The number that an instruction with such a relocation holds before relocation: that of the local types."""
    if kind in (TYPE_ID_LOCAL, TYPE_ID_TARGET):
        return type_id
    return _value(parse_path(btf, type_id, access, kind), kind).value


def describe(btf: Btf, type_id: int, access: str, kind: int) -> str:
    """What a relocation is about, in words: "field task_struct.pid", "enumerator X of enum e", "struct s"."""
    one = btf[type_id] if type_id else None
    word = "" if isinstance(one, t.Typedef) else f"{kind_name(btf, type_id)} "
    name = essential(getattr(one, "name", "")) or "(anonymous)"
    try:
        steps = parse_path(btf, type_id, access, kind).steps
    except BtfError:
        return f"{word}{name}"
    if kind in (ENUMVAL_EXISTS, ENUMVAL_VALUE):
        return f"enumerator {essential(steps[0].name)} of {word}{name}"
    if kind > FIELD_RSHIFT_U64:
        return f"{word}{name}"
    path = "".join(f".{step.name}" if step.name else f"[{step.number}]" for step in steps[1:])
    return f"field {name}{path}" if path else f"{word}{name}"


# ── paths ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def parse_path(btf: Btf, type_id: int, access: str, kind: int) -> Path:
    """Read an access path with the BTF it was made for."""
    try:
        indexes = [int(part) for part in access.split(":")]
    except ValueError:
        indexes = []
    if not indexes or min(indexes) < 0:
        raise BtfError(f"access path {access!r} is malformed")
    if kind in (TYPE_ID_TARGET, TYPE_EXISTS, TYPE_SIZE, TYPE_MATCHES):
        if indexes != [0]:
            raise BtfError(f"access path {access!r} of a type relocation is not '0'")
        return Path(btf, type_id, (), 0)
    if kind in (ENUMVAL_EXISTS, ENUMVAL_VALUE):
        enum = resolved(btf, type_id)
        if not isinstance(enum, _ENUM) or len(indexes) != 1 or indexes[0] >= len(enum.values):
            raise BtfError(f"access path {access!r} is no enumerator of type {type_id}")
        return Path(btf, type_id, (_Step(resolve(btf, type_id), indexes[0], enum.values[indexes[0]].name),), 0)
    if not FIELD_BYTE_OFFSET <= kind <= FIELD_RSHIFT_U64:
        raise BtfError(f"relocation kind {kind} is not known")
    return _parse_field(btf, type_id, indexes, access)


def _parse_field(btf: Btf, type_id: int, indexes: list[int], access: str) -> Path:
    at = resolve(btf, type_id)
    steps = [_Step(at, indexes[0])]
    bits = 8 * size_of(btf, at) * indexes[0] if indexes[0] else 0
    for index in indexes[1:]:
        one = btf[at] if at else None
        if isinstance(one, _COMPOSITE):
            if index >= len(one.members):
                raise BtfError(f"access path {access!r}: {one.name!r} has {len(one.members)} members")
            member = one.members[index]
            bits += member.bit_offset
            if member.name:
                steps.append(_Step(at, index, member.name))
            at = resolve(btf, member.type)
        elif isinstance(one, t.Array):
            at = resolve(btf, one.elem)
            steps.append(_Step(at, index))
            bits += 8 * size_of(btf, at) * index if index else 0
        else:
            raise BtfError(f"access path {access!r} goes into {kind_name(btf, at)}")
    return Path(btf, type_id, tuple(steps), bits)


def find_path(local: Path, btf: Btf, candidate: int, kind: int) -> Path | None:
    """The local path in a target type, or None if it is not there."""
    if kind == TYPE_MATCHES:
        matches = _types_match(local.btf, local.root, btf, candidate, False, 0, Budget())
        return Path(btf, candidate, (), 0) if matches else None
    if kind in (TYPE_ID_TARGET, TYPE_EXISTS, TYPE_SIZE):
        return Path(btf, candidate, (), 0) if compatible(local.btf, local.root, btf, candidate) else None
    if kind in (ENUMVAL_EXISTS, ENUMVAL_VALUE):
        at = resolve(btf, candidate)
        enum = btf[at] if at else None
        wanted = essential(local.steps[0].name)
        for index, value in enumerate(enum.values if isinstance(enum, _ENUM) else ()):
            if essential(value.name) == wanted:
                return Path(btf, candidate, (_Step(at, index, value.name),), 0)
        return None
    return _match_field(local, btf, candidate)


def _match_field(local: Path, btf: Btf, candidate: int) -> Path | None:
    at, bits = resolve(btf, candidate), 0
    steps: list[_Step] = []
    for turn, step in enumerate(local.steps):
        if step.name:
            composite = local.btf[step.type_id]
            assert isinstance(composite, _COMPOSITE)
            found = _find_member(local.btf, composite.members[step.number], btf, at, 0, Budget())
            if found is None:
                return None
            owner, index, offset = found
            one = btf[owner]
            assert isinstance(one, _COMPOSITE)
            steps.append(_Step(owner, index, step.name))
            bits += offset
            at = resolve(btf, one.members[index].type)
            continue
        if turn:
            array = btf[at] if at else None
            if not isinstance(array, t.Array):
                return None
            if step.number >= array.nelems and not (array.nelems == 0 or _is_flexible(btf, steps, array)):
                return None
            at = resolve(btf, array.elem)
        steps.append(_Step(at, step.number))
        bits += 8 * size_of(btf, at) * step.number if step.number else 0
    return Path(btf, candidate, tuple(steps), bits)


def _is_flexible(btf: Btf, steps: list[_Step], array: t.Array) -> bool:
    """Is the array the last member of its struct, and so perhaps longer than declared (char name[1])?"""
    owner = btf[steps[-1].type_id] if steps and steps[-1].name else None
    return array.nelems <= 1 and isinstance(owner, _COMPOSITE) and steps[-1].number == len(owner.members) - 1


def _find_member(local: Btf, wanted: t.Member, btf: Btf, type_id: int, depth: int,
                 budget: Budget) -> tuple[int, int, int] | None:
    """(struct id, member index, bit offset from `type_id`) of the member with that name and a compatible type."""
    if depth > _DEPTH:
        raise BtfError(f"type {type_id} nests too deeply")
    one = btf[type_id] if type_id else None
    if not isinstance(one, _COMPOSITE):
        return None
    for index, member in enumerate(one.members):
        budget.spend()
        if not member.name:
            inner = resolve(btf, member.type)
            found = _find_member(local, wanted, btf, inner, depth + 1, budget)
            if found is not None:
                return found[0], found[1], found[2] + member.bit_offset
        elif member.name == wanted.name:
            same = _fields_compatible(local, wanted.type, btf, member.type)
            return (type_id, index, member.bit_offset) if same else None
    return None


# ── when are types the same thing? ───────────────────────────────────────────────────────────────────────────────────


def _fields_compatible(a: Btf, a_id: int, b: Btf, b_id: int) -> bool:
    """May a member of the one type be the member of the other? Sizes do not matter, shapes do."""
    for _ in range(_DEPTH):
        one, two = resolved(a, a_id), resolved(b, b_id)
        match one, two:
            case (t.Struct() | t.Union(), t.Struct() | t.Union()) | (t.Ptr(), t.Ptr()) | (t.Float(), t.Float()):
                return True
            case (t.Enum() | t.Enum64() as e, t.Enum() | t.Enum64() as f):
                return not e.name or not f.name or essential(e.name) == essential(f.name)
            case (t.Fwd(), t.Fwd()):
                return not one.name or not two.name or essential(one.name) == essential(two.name)
            case t.Int(), t.Int():
                return not one.offset and not two.offset
            case t.Array(), t.Array():
                a_id, b_id = one.elem, two.elem
            case _:
                return False
    return False


def compatible(a: Btf, a_id: int, b: Btf, b_id: int, depth: int = 0, budget: Budget | None = None) -> bool:
    """Are both the same type as far as TYPE_EXISTS and calling a function go? Names of members do not matter."""
    budget = budget or Budget()
    budget.spend()
    if depth > _DEPTH:
        return False
    one, two = resolved(a, a_id), resolved(b, b_id)
    match one, two:
        case (None, None) | (t.Struct(), t.Struct()) | (t.Union(), t.Union()) | (t.Fwd(), t.Fwd()):
            return True
        case (t.Float(), t.Float()) | (t.Enum() | t.Enum64(), t.Enum() | t.Enum64()):
            return True
        case t.Int(), t.Int():
            return not one.offset and not two.offset
        case t.Ptr(), t.Ptr():
            return compatible(a, one.type, b, two.type, depth + 1, budget)
        case t.Array(), t.Array():
            return compatible(a, one.elem, b, two.elem, depth + 1, budget)
        case t.FuncProto(), t.FuncProto():
            return len(one.params) == len(two.params) and compatible(a, one.ret, b, two.ret, depth + 1, budget) and all(
                compatible(a, p.type, b, q.type, depth + 1, budget) for p, q in zip(one.params, two.params))
        case _:
            return False


def _types_match(a: Btf, a_id: int, b: Btf, b_id: int, behind_pointer: bool, depth: int, budget: Budget) -> bool:
    """TYPE_MATCHES: every local member and enumerator is in the target, with matching types; behind pointers names
    do."""
    budget.spend()
    if depth > _DEPTH:
        return False
    one, two = resolved(a, a_id), resolved(b, b_id)
    if one is None or two is None:
        return one is two
    if essential(getattr(one, "name", "")) != essential(getattr(two, "name", "")):
        return False
    match one, two:
        case t.Int(), t.Int():
            return one.size == two.size and one.encoding & t.SIGNED == two.encoding & t.SIGNED
        case (t.Enum() | t.Enum64(), t.Enum() | t.Enum64()):
            names = {essential(v.name) for v in two.values}
            return all(essential(v.name) in names for v in one.values)
        case t.Struct(), t.Struct():
            return behind_pointer or _members_match(a, one, b, two, depth, budget)
        case t.Union(), t.Union():
            return behind_pointer or _members_match(a, one, b, two, depth, budget)
        case t.Fwd(), t.Fwd():
            return one.union == two.union
        case (t.Fwd(), t.Struct() | t.Union()):
            return behind_pointer and one.union == isinstance(two, t.Union)
        case (t.Struct() | t.Union(), t.Fwd()):
            return behind_pointer and two.union == isinstance(one, t.Union)
        case t.Ptr(), t.Ptr():
            return _types_match(a, one.type, b, two.type, True, depth + 1, budget)
        case t.Array(), t.Array():
            return one.nelems == two.nelems and _types_match(
                a, one.elem, b, two.elem, behind_pointer, depth + 1, budget)
        case t.FuncProto(), t.FuncProto():
            return len(one.params) == len(two.params) and _types_match(
                a, one.ret, b, two.ret, behind_pointer, depth + 1, budget) and all(
                _types_match(a, p.type, b, q.type, behind_pointer, depth + 1, budget)
                for p, q in zip(one.params, two.params))
        case t.Float(), t.Float():
            return one.size == two.size
        case _:
            return False


def _members_match(a: Btf, one: t.Struct | t.Union, b: Btf, two: t.Struct | t.Union, depth: int,
                   budget: Budget) -> bool:
    return len(one.members) <= len(two.members) and all(
        any(essential(m.name) == essential(n.name) and _types_match(a, m.type, b, n.type, False, depth + 1, budget)
            for n in two.members) for m in one.members)


# ── from a path to the number ────────────────────────────────────────────────────────────────────────────────────────


class _Value(NamedTuple):
    """A number computed from a path; `size` and `type_id` of the field for FIELD_BYTE_OFFSET."""

    value: int
    checked: bool
    size: int = 0
    type_id: int = 0


def _answer(local: Path, target: Path | None, kind: int) -> Relocation:
    old = _value(local, kind)
    if target is None:
        answers_absence = kind in (FIELD_EXISTS, TYPE_ID_TARGET, TYPE_EXISTS, TYPE_SIZE, ENUMVAL_EXISTS, TYPE_MATCHES)
        return Relocation(0, old.value if old.checked else None, not answers_absence)
    new = _value(target, kind)
    resize = new.size == old.size or _may_resize(local.btf, old.type_id, target.btf, new.type_id)
    return Relocation(new.value, old.value if old.checked else None, False, new.size, old.size, resize, target.btf)


def _may_resize(a: Btf, a_id: int, b: Btf, b_id: int) -> bool:
    match resolved(a, a_id), resolved(b, b_id):
        case t.Ptr(), t.Ptr():
            return True
        case t.Int() as one, t.Int() as two:
            return not (one.encoding | two.encoding) & t.SIGNED
        case _:
            return False


def _value(spec: Path, kind: int) -> _Value:
    if kind in (FIELD_EXISTS, TYPE_EXISTS, ENUMVAL_EXISTS, TYPE_MATCHES):
        return _Value(1, True)
    if kind == TYPE_ID_TARGET:
        return _Value(spec.root, False)
    if kind == TYPE_SIZE:
        return _Value(size_of(spec.btf, spec.root), True)
    if kind == ENUMVAL_VALUE:
        enum = spec.btf[spec.steps[0].type_id]
        assert isinstance(enum, _ENUM)
        return _Value(enum.values[spec.steps[0].number].value, True)
    return _field_value(spec, kind)


def _field_value(spec: Path, kind: int) -> _Value:
    btf, last = spec.btf, spec.steps[-1]
    if not last.name:  # the last step is an array element, or the root itself
        size = size_of(btf, last.type_id)
        if kind == FIELD_BYTE_OFFSET:
            return _Value(spec.bit_offset // 8, True, size, last.type_id)
        if kind == FIELD_BYTE_SIZE:
            return _Value(size, True)
        raise BtfError(f"relocation kind {kind} does not apply to an array element")
    owner = btf[last.type_id]
    assert isinstance(owner, _COMPOSITE)
    member = owner.members[last.number]
    plain = resolved(btf, member.type)
    bits, at = member.bits, spec.bit_offset
    if bits:
        size, offset = _bit_field_load(btf, member, at)
    else:
        size, offset = size_of(btf, member.type), at // 8
        bits = 8 * size
    match kind:
        case _ if kind == FIELD_BYTE_OFFSET:
            return _Value(offset, False) if member.bits else _Value(offset, True, size, member.type)
        case _ if kind == FIELD_BYTE_SIZE:
            return _Value(size, not member.bits)
        case _ if kind == FIELD_SIGNED:
            return _Value(int(_is_signed(plain)), True)
        case _ if kind == FIELD_LSHIFT_U64:
            if btf.byteorder == "little":
                return _Value(64 - (at + bits - 8 * offset), not member.bits)
            return _Value((8 - size) * 8 + at - 8 * offset, not member.bits)
        case _:
            return _Value(64 - bits, True)


def _bit_field_load(btf: Btf, member: t.Member, at: int) -> tuple[int, int]:
    """(size, byte offset) of the smallest aligned load that holds a bit-field."""
    size = size_of(btf, member.type)
    while size:
        offset = at // 8 // size * size
        if at + member.bits - 8 * offset <= 8 * size:
            return size, offset
        if size >= 8:
            break
        size *= 2
    raise BtfError(f"bit-field {member.name!r} does not fit one load")


def _is_signed(one: t.Type | None) -> bool:
    match one:
        case t.Int():
            return bool(one.encoding & t.SIGNED)
        case t.Enum() | t.Enum64():
            return one.signed
        case _:
            return False
