"""CO-RE: the thirteen kinds on types made for the purpose, and on the running kernel."""

import pytest

from purebpf.btf import Builder, core, kernel, layout
from purebpf.btf import types as t
from purebpf.errors import BtfError


class World:
    """A local BTF as a program carries it, and a kernel's that moved things around."""

    def __init__(self) -> None:
        b = Builder()
        self.i32, self.u32, self.u64 = b.add(t.Int("int", 4, 1)), b.add(t.Int("unsigned int", 4)), b.add(t.Int("u64", 8))
        self.arr = b.add(t.Array(self.u32, self.u32, 4))
        self.task = b.reserve()
        pointer = b.add(t.Ptr(self.task))
        b.set(self.task, t.Struct("task___mine", 56, (
            t.Member("pid", self.i32, 0), t.Member("parent", pointer, 64), t.Member("flags", self.u32, 128, 3),
            t.Member("grown", self.u32, 160), t.Member("deep", self.u64, 192), t.Member("list", self.arr, 256),
            t.Member("gone", self.u32, 384), t.Member("narrow", self.i32, 416))))
        self.absent = b.add(t.Struct("absent", 4, (t.Member("x", self.u32, 0),)))
        self.state = b.add(t.Enum("state", 4, False, (t.Enumerator("RUN___old", 1), t.Enumerator("GONE", 2))))
        self.alias = b.add(t.Typedef("pid_type", self.i32))
        self.nameless = b.add(t.Struct("", 4, (t.Member("x", self.u32, 0),)))
        self.local = b.build()
        k = Builder()
        i32, u64 = k.add(t.Int("int", 4, 1)), k.add(t.Int("long unsigned int", 8))
        u32, i64 = k.add(t.Int("unsigned int", 4)), k.add(t.Int("long", 8, 1))
        arr = k.add(t.Array(u32, u32, 2))
        self.k_task = k.reserve()
        pointer = k.add(t.Ptr(self.k_task))
        inner = k.add(t.Struct("", 16, (t.Member("other", u64, 0), t.Member("deep", u64, 64))))
        holder = k.add(t.Union("", 16, (t.Member("raw", arr, 0), t.Member("", inner, 0))))
        k.set(self.k_task, t.Struct("task", 80, (
            t.Member("parent", pointer, 0), t.Member("pid", i32, 64), t.Member("flags", u32, 94, 3),
            t.Member("grown", u64, 192), t.Member("", holder, 256), t.Member("list", arr, 384),
            t.Member("narrow", i64, 512))))
        k.add(t.Enum64("state", 8, True, (t.Enumerator("IDLE", 0), t.Enumerator("RUN", 7))))
        k.add(t.Typedef("pid_type", i32))
        self.kernel = k.build()

    def ask(self, type_id: int, access: str, kind: int) -> core.Relocation:
        return core.Relocator(self.local, [self.kernel]).relocate(type_id, access, kind)


W = World()
OFFSET, SIZE, EXISTS, SIGNED, LSHIFT, RSHIFT = range(6)


@pytest.mark.parametrize("access, kind, value, old", [
    ("0:0", OFFSET, 8, 0), ("0:1", OFFSET, 0, 8), ("0:4", OFFSET, 40, 24),  # into an anonymous struct in a union
    ("0:5:1", OFFSET, 52, 36), ("1:0", OFFSET, 88, 56), ("0", OFFSET, 0, 0), ("2", OFFSET, 160, 112),
    ("0:0", SIZE, 4, 4), ("0:3", SIZE, 8, 4), ("0:5", SIZE, 8, 16), ("0", SIZE, 80, 56),
    ("0:0", EXISTS, 1, 1), ("0:6", EXISTS, 0, 1), ("0:5:3", EXISTS, 0, 1), ("0:0", SIGNED, 1, 1), ("0:3", SIGNED, 0, 0),
    ("0:2", OFFSET, 8, None), ("0:2", SIZE, 8, None), ("0:2", LSHIFT, 64 - (94 + 3 - 64), None), ("0:2", RSHIFT, 61, 61),
    ("0:0", RSHIFT, 32, 32)])
def test_fields(access: str, kind: int, value: int, old: int | None) -> None:
    got = W.ask(W.task, access, kind)
    assert (got.value, got.old, got.poison) == (value, old, False)


@pytest.mark.parametrize("access, kind", [("0:6", OFFSET), ("0:6", SIZE), ("0:6", SIGNED), ("0:6", LSHIFT), ("0:5:3", OFFSET)])
def test_fields_that_are_gone_poison(access: str, kind: int) -> None:
    assert W.ask(W.task, access, kind).poison


def test_access_sizes_may_change_for_unsigned_and_pointers() -> None:
    same, grown, narrow = (W.ask(W.task, access, OFFSET) for access in ("0:0", "0:3", "0:7"))
    assert (same.old_size, same.size, same.resize) == (4, 4, True)
    assert (grown.old_size, grown.size, grown.resize) == (4, 8, True)
    assert (narrow.old_size, narrow.size, narrow.resize) == (4, 8, False)  # signed: the loader cannot tell the extension


@pytest.mark.parametrize("who, kind, value, old", [
    ("task", core.TYPE_ID_TARGET, W.k_task, None), ("task", core.TYPE_EXISTS, 1, 1), ("task", core.TYPE_SIZE, 80, 56),
    ("absent", core.TYPE_EXISTS, 0, 1), ("absent", core.TYPE_SIZE, 0, 4), ("absent", core.TYPE_ID_TARGET, 0, None),
    ("absent", core.TYPE_MATCHES, 0, 1), ("alias", core.TYPE_EXISTS, 1, 1), ("alias", core.TYPE_SIZE, 4, 4),
    ("alias", core.TYPE_MATCHES, 1, 1), ("task", core.TYPE_MATCHES, 0, 1)])
def test_types(who: str, kind: int, value: int, old: int | None) -> None:
    got = W.ask(getattr(W, who), "0", kind)
    assert (got.value, got.old, got.poison) == (value, old, False)


def test_local_type_id_needs_no_target() -> None:
    assert core.Relocator(W.local, []).relocate(W.task, "0", core.TYPE_ID_LOCAL).value == W.task


@pytest.mark.parametrize("access, kind, value, poison", [
    ("0", core.ENUMVAL_EXISTS, 1, False), ("1", core.ENUMVAL_EXISTS, 0, False), ("0", core.ENUMVAL_VALUE, 7, False),
    ("1", core.ENUMVAL_VALUE, 0, True)])
def test_enumerators(access: str, kind: int, value: int, poison: bool) -> None:
    got = W.ask(W.state, access, kind)
    assert (got.value, got.poison) == (value, poison)


@pytest.mark.parametrize("who, access, kind", [
    ("task", "", OFFSET), ("task", "x", OFFSET), ("task", "0:99", OFFSET), ("task", "0:0:0", OFFSET), ("task", "-1", OFFSET),
    ("task", "1", core.TYPE_SIZE), ("task", "0", core.ENUMVAL_VALUE), ("state", "9", core.ENUMVAL_VALUE),
    ("task", "0:0", 13), ("nameless", "0:0", OFFSET), ("task", "0:5:1", SIGNED)])
def test_relocations_that_contradict_the_types(who: str, access: str, kind: int) -> None:
    with pytest.raises(BtfError):
        W.ask(getattr(W, who), access, kind)


def test_candidates_that_disagree_are_an_error() -> None:
    k = Builder(W.kernel)
    i32 = k.add(t.Int("int", 4, 1))
    k.add(t.Struct("task___other", 64, (t.Member("pad", i32, 0), t.Member("pid", i32, 32))))
    both = core.Relocator(W.local, [k.build()])
    assert len(both.candidates(W.task)) == 2
    with pytest.raises(BtfError, match="disagree"):
        both.relocate(W.task, "0:0", OFFSET)
    assert both.relocate(W.task, "0:0", EXISTS).value == 1


def test_modules_are_asked_only_for_what_the_kernel_lacks() -> None:
    module = Builder()
    u32 = module.add(t.Int("unsigned int", 4))
    module.add(t.Struct("absent", 8, (t.Member("pad", u32, 0), t.Member("x", u32, 32))))
    module.add(t.Struct("task", 8, (t.Member("pid", u32, 32),)))
    targets = [W.kernel, module.build()]
    both = core.Relocator(W.local, targets)
    assert both.relocate(W.absent, "0:0", OFFSET).value == 4
    assert both.relocate(W.task, "0:0", OFFSET).value == 8


def test_essential_names() -> None:
    names = {"a": "a", "a___b": "a", "a___": "a___", "___a": "___a", "a__b": "a__b", "____sys_recvmsg": "____sys_recvmsg",
             "foo____bar": "foo____bar", "___ratelimit.cold": "___ratelimit.cold", "a___b___c": "a___b", "a___b___": "a"}
    assert {n: core.essential(n) for n in names} == names


@pytest.mark.kernel
def test_against_the_running_kernel() -> None:
    vmlinux = kernel.vmlinux()
    b = Builder()
    i32, ptr = b.add(t.Int("int", 4, 1)), b.add(t.Ptr(0))
    local = b.add(t.Struct("task_struct", 16, (t.Member("tgid", i32, 0), t.Member("real_parent", ptr, 64))))
    btf = b.build()
    relocator = core.Relocator(btf, [vmlinux])
    target = vmlinux.find("task_struct", t.Struct)
    assert target is not None
    for index, name in enumerate(("tgid", "real_parent")):
        field = layout.field(vmlinux, target, name)
        assert field is not None
        assert relocator.relocate(local, f"0:{index}", OFFSET).value == field.offset
    assert relocator.relocate(local, "0", core.TYPE_ID_TARGET).value == target


def test_every_kind_is_known() -> None:
    from purebpf.uapi.enums import CoreKind, names

    ours = {name: value for name, value in vars(core).items() if name.isupper() and isinstance(value, int)}
    theirs = {name: number for number, name in names(CoreKind).items()}
    assert {n: v for n, v in ours.items() if n.startswith(("FIELD", "TYPE", "ENUMVAL"))} == theirs
