"""Bugs of one line, planted one at a time: does the suite notice?

    python tools/mutants.py [word …]       only those whose file or text has one of the words

Each row of `TABLE` is a file, a piece of it, what replaces it, and the tests that should fail then. A mutant works on a copy
of the project. Prints who lives; the exit status is how many.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
COPIED = ("purebpf", "tests", "benchmarks", "examples", "docs", "tools", "pyproject.toml", "README.md", "ARCHITECTURE.md")
WORKERS = os.cpu_count() or 2
LONGEST = 240  # seconds of CPU for the tests of one mutant: one that goes round for ever is noticed too, on a busy machine none else
ASLEEP = 3600  # and of the clock, for one that waits for ever
PYTEST = f"import resource, sys, pytest; resource.setrlimit(resource.RLIMIT_CPU, ({LONGEST}, {LONGEST})); sys.exit(pytest.main())"

OPT = "tests/filetests/opt"
CODE = "tests/filetests/codegen tests/codegen/test_ops.py tests/codegen/test_stack.py tests/codegen/test_check.py tests/codegen/test_emit.py"
IR = "tests/filetests/ir tests/ir"
KNOWN = "tests/property/test_known_answers.py"
CORPUS = "tests/corpus/test_corpus.py::test_kernel tests/corpus/test_corpus.py::test_vm"
ORDER = "tests/elf/test_byte_order.py"
RULES = "tests/opt tests/filetests/opt"
LOOPS = "tests/property/test_loops.py tests/tree"


class Mutant(NamedTuple):
    file: str
    old: str
    new: str
    tests: str


TABLE = [Mutant(*row) for row in (
    # ir
    ("ir/ops.py", "a >> (b & 63), False, \"arithmetic", "(a & M64) >> (b & 63), False, \"arithmetic", RULES),
    ("ir/ops.py", "return q if (a < 0) == (b < 0) else -q", "return q", "tests/opt tests/codegen/test_ops.py"),
    ("ir/types.py", "MEM | PACKET | VALUE, moved", "MEM | PACKET, moved", f"{OPT} {IR}"),
    ("ir/verify.py", "(t.null or not t.row.access)", "not t.row.access", IR),
    ("ir/verify.py", "if not value.type.is_ptr or (value.type.null and not wanted.null):", "if not value.type.is_ptr:", IR),
    ("ir/verify.py", "and op.args[0] in block.ops):", "):", IR),
    ("ir/calls.py", "if not (isinstance(op.attr, Symbol) and op.attr.caught):", "if True:", f"{OPT} {IR}"),
    ("ir/interp.py", "return 1, *(0 for _ in fn.results)", "return 0, *(0 for _ in fn.results)", IR),
    ("ir/cfg.py", "inner.update(dict.fromkeys(loop.blocks, loop))", "inner.update({loop.header: loop})", f"{IR} {OPT}"),
    ("ir/provable.py", "if root.type.region == \"packet\" and off > facts.get(root, _NONE)[1] and self.near(root, facts):",
     "if root.type.region == \"packet\":", IR),
    ("ir/provable.py", "self.narrow(x, 0, b[1] - strict, facts) and", "self.narrow(x, 0, b[1], facts) and", IR),
    # byte order
    ("opt/memory.py", "self.order.shift(at - var.off, stop - at, var.size):", "8 * (at - var.off):", f"{OPT}/memory"),
    ("opt/memory.py", "self.order.shift(at - start, stop - at, end - start):", "8 * (at - start):", f"{OPT}/memory"),
    ("opt/memory.py", "down = self.order.shift(at - start, stop - at, end - start)", "down = 8 * (at - start)", f"{OPT}/memory"),
    ("opt/memory.py", "shift, mask = self.order.shift(at - var.off, stop - at, var.size)", "shift, mask = 8 * (at - var.off)", f"{OPT}/memory"),
    ("opt/stores.py", "if first.attr.off < second.attr.off else (b, a)", "if first.attr.off > second.attr.off else (b, a)", f"{OPT}/stores"),
    ("opt/stores.py", "if fn.order.shift(0, half, 2 * half) == 0 else", "if True else", f"{OPT}/stores"),
    ("lower/places.py", "up = 64 - f.unit.order.lowest(field.bit, field.bits, layout.size)", "up = 64 - field.bit", ORDER),
    ("lower/places.py", "low = f.unit.order.lowest(field.bit, field.bits, layout.size)", "low = field.bit", ORDER),
    ("lower/places.py", "Const(f.unit.order.number(data[at : at + width]))", "Const(int.from_bytes(data[at : at + width], 'little'))", CORPUS),
    ("lower/values.py", "if self.unit.order is not NETWORK:", "if True:", CORPUS),
    ("lower/values.py", "return word if bits == 64 else self.b.op(\"and\", word, (1 << bits) - 1)", "return word", CORPUS),
    ("codegen/isel.py", "(X if s.fn.order is not NETWORK else K)", "X", CODE),
    ("dsl/memory.py", "<< order.lowest(f.bit, f.bits, f.type.size)", "<< f.bit", ORDER),
    # calls
    ("opt/inline.py", "self.frames[name] > below", "False", "tests/opt"),
    ("opt/inline.py", "if op in self.slots and op not in self.private[fn]:", "if op in self.slots:", OPT),
    ("opt/inline.py", "elif end.row is R.abort and caught(call):", "elif False:", OPT),
    ("opt/aborts.py", "Const(1 if flagged else fn.default or 0)", "Const(fn.default or 0)", OPT),
    ("opt/aborts.py", "op.attr = Index(op.attr.number + by)", "op.attr = Index(op.attr.number)", OPT),
    ("opt/abi.py", "REGISTERS - bool(results)", "REGISTERS", OPT),
    ("opt/abi.py", "return max(self.args, len(self.results))", "return self.args", OPT),
    # memory
    ("opt/gvn.py", "return not (object_base(a[0]) and object_base(b[0]))", "return not (object_base(a[0]) or object_base(b[0]))", OPT),
    ("opt/gvn.py", "return base not in self.spilled() and not any", "return not any", OPT),
    ("opt/gvn.py", "if outside and not any(a.type.row.frame and", "if outside and not any(a.type.region == \"stack\" and", OPT),
    ("opt/gvn.py", "mask |= self.kills[at] | self.written_between(at)", "mask |= self.kills[at]", OPT),
    ("opt/gvn.py", "if op.row.commutative and not isinstance", "if not isinstance", OPT),
    ("opt/stores.py", "if at is not base:\n            seen.clear()", "if at is not base:\n            pass", OPT),
    ("opt/stores.py", "elif not (object_base(base) and object_base(other)) and base_region(other) & mask:",
     "elif not (object_base(base) or object_base(other)) and base_region(other) & mask:", OPT),
    ("opt/stores.py", "and other not in kept and other not in passed", "and other not in passed", OPT),
    ("opt/memory.py", "if any(end - start > 8 for start, end in groups):", "if False:", OPT),
    # facts
    ("opt/bits.py", "return min(mask, fill(c - 1))", "return min(mask, c - 1)", RULES),
    ("opt/bits.py", "return mask if not mask >> (bits - 1) else", "return mask if True else", RULES),
    ("opt/bits.py", "if self._kernel and obscure(op):", "if False:", OPT),
    ("opt/implied.py", "if self.indexes and any(a in self.indexes for a in op.args):", "if False:", OPT),
    ("opt/implied.py", "not all(op.row.pure for op in block.ops[:-1])", "False", OPT),
    ("opt/implied.py", "self.limit(x, 0, self.range(y)[1] - strict)", "self.limit(x, 0, self.range(y)[1])", OPT),
    ("opt/shape.py", "return v in self._guarded", "return False", OPT),
    ("opt/narrow.py", "top = max(top, limit + c - 1)", "top = max(top, limit)", OPT),
    ("opt/narrow.py", "need = mask >> k if row is R.shl else mask << k & M64", "need = mask", RULES),
    ("opt/rules_test.py", "return s.op(R.ugt, x, c - 1)\n", "return s.op(R.ugt, x, c)\n", RULES),
    ("opt/booleans.py", "if how is None or (bits.may(x) | bits.may(y)) & _TOP:", "if how is None:", OPT),
    ("opt/booleans.py", "any(a.type is not I64 or a in indexes for a in op.args)", "any(a.type is not I64 for a in op.args)", OPT),
    # control
    ("opt/switch.py", "or len(uses[op]) > 1 for op", "for op", OPT),
    ("opt/switch.py", "low + (constant == low)", "low", OPT),
    ("opt/merge.py", "if (t := column[0].type).is_ptr and t.row.fixed:", "if False:", OPT),
    ("opt/thread.py", " and not self.cfg.dominates(block, pred)", "", OPT),
    ("opt/loops.py", "if bool(_int(cond, env)) != (stay == 0):", "if bool(_int(cond, env)) == (stay == 0):", OPT),
    ("opt/loops.py", "and op.row not in _TESTS", "", OPT),
    ("opt/sink.py", "inner.get(to) is not inner.get(block)", "False", OPT),
    ("opt/cfgclean.py", "empty -= used_elsewhere(fn, own)", "pass", OPT),
    ("opt/ssa.py", "edge.args.append(self.at_end(var, pred, type, name))", "edge.args.append(self.at_start(var, pred, type, name))", OPT),
    # codegen
    ("codegen/isel.py", "if source in s.regs and s.demanded(source)", "if source is not None and s.demanded(source)", CODE),
    ("codegen/isel.py", "and not op.type.row.frame:", ":", CODE),
    ("codegen/memory.py", "if not isinstance(by, Const) or not s16(off + by.value):", "if not isinstance(by, Const):", CODE),
    ("codegen/branch.py", "if narrow and s.cpu < 3:\n        return False", "if False:\n        return False", CODE),
    ("codegen/final.py", "new = after if known is None else known & after", "new = after if known is None else known | after", "tests/codegen/test_final.py"),
    ("codegen/calls.py", "insn.uses = (1 << len(op.args) + 1) - 2", "insn.uses = (1 << len(op.args)) - 2", CODE),
    # front end, tree, lowering
    ("frontend/context.py", "if has_effects(value):\n            self.emit(Eval(value.span, value))", "if False:\n            pass", KNOWN),
    ("frontend/arith.py", "if number is not None and acts(value):", "if False:", KNOWN),
    ("frontend/rounds.py", "kind = _grown(name, binding.kind, kind, growth, rounds)", "pass", CORPUS),
    ("tree/kinds.py", "return a if isinstance(a, Broken) else b", "return b", "tests/filetests/errors tests/filetests/frontend"),
    ("tree/walk.py", "if isinstance(first, n.Set) and first.local is local and local not in read(first.value):",
     "if isinstance(first, n.Set) and first.local is local:", "tests/tree"),
    ("lower/callbacks.py", "return around == inside and begins(_stmts(node), local)", "return around == inside", CORPUS),
    ("tree/hiding.py", "isinstance(one, n.IfElse | n.Select | n.Call)", "isinstance(one, n.Call)", LOOPS),
    ("tree/hiding.py", "if loop.ways <= WALKED:\n        return set()\n    bound", "if True:\n        return set()\n    bound", LOOPS),
    ("tree/hiding.py", "case n.Number() | n.Lit() | n.Undef() | n.Call():\n            return True", "case n.Lit() | n.Undef() | n.Call():\n            return True", LOOPS),
    ("frontend/strings.py", "within = Compare(span, TRUTH, \"le\", start, Number(span, room))", "within = Compare(span, TRUTH, \"ne\", start, Number(span, room))", CORPUS),
    ("frontend/mapuse.py", "if since is None:", "if False:", "tests/corpus/test_mistakes.py"),
    ("frontend/redirects.py", "Arith(span, word, \"*\", user, Number(span, USER))", "user", CORPUS),
    ("frontend/storages.py", "Number(c.span(node), MAKE)", "Number(c.span(node), 0)", CORPUS),
    ("uapi/contexts.py", "(\"__sk_buff\", \"sk\"), (\"bpf_sock_ops\", \"sk\"), (\"bpf_sk_lookup\"", "(\"bpf_sock_ops\", \"sk\"), (\"bpf_sk_lookup\"", "tests/corpus/test_mistakes.py"),
    # types, loader, VM
    ("btf/layout.py", "return self.bit_offset // 8", "return self.bit_offset // 8 + 1", "tests/btf"),
    ("loader/ringbuf.py", "mask = size - 1", "mask = size", "tests/loader"),
    ("vm/plain.py", "signed(a, bits) >> (b & (bits - 1))", "a >> (b & (bits - 1))", "tests/vm"),
    ("vm/maps.py", "return -errno.EEXIST if flags & NOEXIST else 0", "return 0", "tests/vm"),
)]


def judged(mutant: Mutant) -> str:
    """The mutant in a copy of its own."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        home = Path(name)
        for part in COPIED:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, home / part)
        return plant(mutant, home)


def plant(mutant: Mutant, home: Path) -> str:
    """"killed", "lives", or why neither."""
    path = home / "purebpf" / mutant.file
    text = path.read_text()
    if text.count(mutant.old) != 1:
        return f"the text is there {text.count(mutant.old)} times"
    path.write_text(text.replace(mutant.old, mutant.new))
    try:
        done = subprocess.run([sys.executable, "-c", PYTEST, "-q", "-x", "-p", "no:cacheprovider", *mutant.tests.split()],
                              cwd=home, capture_output=True, timeout=ASLEEP, check=False)
        return "killed" if done.returncode in (1, -signal.SIGXCPU, -signal.SIGKILL) else "lives" if done.returncode == 0 else f"pytest ended with {done.returncode}"
    except subprocess.TimeoutExpired:
        return "killed"
    finally:
        path.write_text(text)


def main() -> int:
    words = sys.argv[1:]
    rows = [m for m in TABLE if not words or any(w in m.file or w in m.old for w in words)]
    left = []
    with ThreadPoolExecutor(WORKERS) as pool:
        for mutant, end in zip(rows, pool.map(judged, rows)):
            if end != "killed":
                left.append(mutant)
                print(f"{end}: {mutant.file}: {mutant.old!r} -> {mutant.new!r}", flush=True)
    print(f"{len(rows) - len(left)} of {len(rows)} noticed")
    return len(left)


if __name__ == "__main__":
    raise SystemExit(main())
