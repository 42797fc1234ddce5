"""The callables of the language, in one table: Python's builtins, words, and methods, with what each takes.

To add one: a function that checks its calls, in the file of its subject, and a line here. What the kernel's functions are and do
stands in `uapi.callees`; `gate` asks it for every call of one. Everything else that can be called is a function of the program,
a type, a helper or a kernel function: `calls.CLASSES`.
"""

from __future__ import annotations

from typing import Any, Final

from ..dsl import fields as kept
from ..dsl import flow, text
from ..dsl import maps as decl
from ..dsl import redirects as redirecting
from ..dsl import storages
from ..dsl import memory as dsl_memory
from ..tree.kinds import Context, Cursor, Resource
from . import builtins, formats, later, library, mapmethods, owning, packet, printing, questions, redirects, sections, strings, words
from .rows import Row

BPF_F_CURRENT_CPU: Final = 0xFFFFFFFF

FUNCTIONS: Final[dict[Any, Row]] = {
    # Python's
    **{f: Row(builtins.constant_only(f), "*values")
       for f in (sorted, round, hex, oct, bin, str, range, list, set, frozenset, dict, repr, reversed, enumerate, zip)},
    abs: Row(builtins.absolute, "_number"),
    all: Row(builtins.all_of, "_items"),
    any: Row(builtins.any_of, "_items"),
    bool: Row(builtins.boolean, "_value="),
    bytes: Row(builtins.to_bytes, "_value"),
    chr: Row(builtins.character, "_number"),
    divmod: Row(builtins.quotient_and_rest, "_a _b"),
    int: Row(builtins.integer, "_value= base="),
    int.from_bytes: Row(builtins.from_bytes, "bytes byteorder='big' signed=False"),
    len: Row(builtins.length, "_value"),
    max: Row(builtins.extreme("max", "gt"), "_value *values"),
    min: Row(builtins.extreme("min", "lt"), "_value *values"),
    ord: Row(builtins.code_point, "_character"),
    pow: Row(builtins.power, "base exp mod="),
    print: Row(printing.print_, "*values", form=True),
    sum: Row(builtins.total, "_items start="),
    tuple: Row(builtins.to_tuple, "_items="),
    # words
    **{word: Row(words.by_helper(word)) for word in vars(flow).values() if isinstance(word, flow.Word) and word.helper},
    flow.addr: Row(words.addr, "place", form=True),
    flow.atomic_add: Row(words.atomic_add, "place number", form=True),
    flow.container_of: Row(questions.container_of, "pointer kind member"),
    flow.cstr: Row(words.cstr, "pointer size"),
    flow.user: Row(words.user, "address"),
    flow.current_comm: Row(words.comm),
    flow.current_task: Row(words.task, "kind="),
    flow.enum_exists: Row(questions.enum_exists, "enumerator", form=True),
    flow.enum_value: Row(questions.enum_value, "enumerator", form=True),
    flow.field_exists: Row(questions.field_exists, "kind field"),
    flow.field_size: Row(questions.field_size, "kind field"),
    flow.htonl: Row(words.swap(32), "number"),
    flow.htons: Row(words.swap(16), "number"),
    flow.irq_off: Row(sections.word("irq")),
    flow.loop: Row(words.loop, "rounds body"),
    flow.ntohl: Row(words.swap(32), "number"),
    flow.ntohs: Row(words.swap(16), "number"),
    flow.offsetof: Row(questions.offsetof, "kind field"),
    flow.preempt_off: Row(sections.word("preempt")),
    flow.printk: Row(printing.printk, "text *values", form=True),
    flow.rcu: Row(sections.word("rcu")),
    flow.seq_print: Row(printing.seq_print, "*values", form=True),
    flow.type_exists: Row(questions.type_exists, "kind"),
    flow.type_matches: Row(questions.type_matches, "kind"),
    flow.type_size: Row(questions.type_size, "kind"),
    dsl_memory.sizeof: Row(words.sizeof, "what", form=True),
    text.hex: Row(formats.hex_, "data"),
    text.ip4: Row(formats.ip4, "address"),
    text.ip6: Row(formats.ip6, "address"),
    text.ksym: Row(formats.ksym, "address"),
    text.mac: Row(formats.mac, "address"),
}

METHODS: Final[dict[tuple[type, str], Row]] = {  # by the class of what has them: of maps the declaration's
    (decl._Lookup, "lookup"): Row(mapmethods.look_up, "key"),
    (decl._Indexed, "lookup"): Row(mapmethods.look_up, "key"),
    (decl._Lookup, "get"): Row(mapmethods.get, "key default="),
    (decl._Indexed, "get"): Row(mapmethods.get, "key default="),
    (decl._Lookup, "update"): Row(mapmethods.update, "key value flags=0"),
    (decl._Indexed, "update"): Row(mapmethods.update, "key value flags=0"),
    (decl._Lookup, "delete"): Row(mapmethods.delete, "key"),
    (decl._Lookup, "setdefault"): Row(mapmethods.setdefault, "key value="),
    (decl._Lookup, "for_each"): Row(mapmethods.for_each, "function"),
    (decl._Indexed, "for_each"): Row(mapmethods.for_each, "function"),
    (decl.RingBuf, "output"): Row(mapmethods.output, "value flags=0"),
    (decl.RingBuf, "reserve"): Row(mapmethods.reserve, help="the record has the size of the RingBuf's type"),
    (decl.RingBuf, "discard"): Row(mapmethods.discard, "record"),
    (decl.PerfEventArray, "output"): Row(mapmethods.perf_output, f"ctx value flags={BPF_F_CURRENT_CPU}"),
    (storages.Storage, "lookup"): Row(mapmethods.look_up, "owner"),
    (storages.Storage, "get"): Row(mapmethods.get, "owner default="),
    (storages.Storage, "setdefault"): Row(mapmethods.setdefault, "owner value="),
    (storages.Storage, "delete"): Row(mapmethods.delete, "owner"),
    (redirecting.Redirects, "redirect"): Row(redirects.to_device, "key default=0 flags=0"),
    (redirecting.Sockets, "redirect"): Row(redirects.to_socket, "ctx key flags=0"),
    (redirecting.Sockets, "update"): Row(redirects.put_socket, "ctx key flags=0"),
    (redirecting.Sockets, "delete"): Row(mapmethods.delete, "key"),
    (redirecting.ReusePortArray, "select"): Row(redirects.select, "ctx key flags=0"),
    (redirecting.CgroupArray, "holds_current"): Row(redirects.holds_current, "index"),
    (redirecting.CgroupArray, "holds"): Row(redirects.holds, "index ctx"),
    (redirecting.StackTrace, "id"): Row(redirects.stack_id, "ctx user=False skip=0 flags=0"),
    (kept.Timer, "start"): Row(later.start_timer, "ns callback= absolute= pinned="),
    (kept.Timer, "cancel"): Row(later.cancel_timer),
    (kept.Kptr, "swap"): Row(owning.swap, "new"),
    (kept.WorkQueue, "start"): Row(later.start_work, "callback="),
    (decl.BloomFilter, "add"): Row(mapmethods.push, "value flags=0"),
    (decl._Pushed, "push"): Row(mapmethods.push, "value flags=0"),
    (decl._Pushed, "pop"): Row(mapmethods.popper("map_pop_elem")),
    (decl._Pushed, "peek"): Row(mapmethods.popper("map_peek_elem")),
    (Cursor, "at"): Row(packet.at, "offset kind"),
    (Cursor, "bytes"): Row(packet.take_bytes, "offset count"),
    (Cursor, "peek"): Row(packet.peek, "kind"),
    (Cursor, "pull"): Row(packet.pull, "kind"),
    (Cursor, "skip"): Row(packet.skip, "count"),
    (Context, "arg"): Row(words.argument, "number"),
    (Resource, "discard"): Row(words.discard),
    (int, "bit_count"): Row(builtins.bit_count),
    (int, "bit_length"): Row(builtins.bit_length),
    (str, "endswith"): Row(strings.endswith, "_text"),
    (str, "find"): Row(library.find, "_text _start= _stop="),
    (str, "isdigit"): Row(library.isdigit),
    (str, "rfind"): Row(library.rfind, "_text _start= _stop="),
    (str, "startswith"): Row(strings.startswith, "_text"),
}


class _Hashable(type):
    def __instancecheck__(cls, obj: object) -> bool:
        return type(obj).__hash__ is not None


class _HASHED(metaclass=_Hashable):
    """Anything that can be looked up in a table."""


def function(obj: Any) -> Row | None:
    """The row of an object that is called, if it has one."""
    return FUNCTIONS.get(obj) if isinstance(obj, _HASHED) else None


def method(owners: tuple[type, ...], name: str) -> Row | None:
    """The row of a method of what is of these classes."""
    return next((row for owner in owners if (row := METHODS.get((owner, name))) is not None), None)


def methods(owners: tuple[type, ...]) -> list[str]:
    """The names of all methods of what is of these classes."""
    return sorted({name for owner, name in METHODS if owner in owners})
