"""A control flow graph as nested Python: `while`, `for`, `if`, `break` and `continue` instead of gotos.

After Ramsey, "Beyond Relooper" (ICFP 2022): the dominator tree gives the nesting; a block with several ways in becomes
a label after the code it is reached from. What differs is Python: a label is left for with `break` out of a loop that
runs once, or simply by reaching the end; what follows a loop stands behind it, not in it; to leave several loops at
once a variable remembers where to.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Union

from .flow import Flow

MAX_LOOPS: Final = 17  # CPython allows 20 nested blocks, `try` included
MAX_INDENT: Final = 80  # and 100 levels of indentation


class Line(NamedTuple):
    """A line of Python and the slot it was made from."""

    text: str
    pc: int
    indent: int = 0


class Straight(NamedTuple):
    """Lines; `leaves`: they end in a return."""

    lines: list[Line]
    leaves: bool = False


class Goto(NamedTuple):
    label: int


class Choice(NamedTuple):
    """`yes` and `no` are conditions, each the negation of the other."""

    yes: str
    no: str
    pc: int
    then: list["Item"]
    other: list["Item"]


class Labelled(NamedTuple):
    """`body`, then the place that gotos to `label` mean."""

    label: int
    body: list["Item"]


class Loop(NamedTuple):
    """`head` starts it ("while True:" or a for); reaching the end of `body`, or a goto to `label`, goes round.
    `over` is the for's else."""

    label: int
    head: Line
    body: list["Item"]
    over: list[Line]


Item = Union[Straight, Goto, Choice, Labelled, Loop]


class TooDeep(Exception):
    """Python cannot nest this far."""


class _Around:
    """A Python loop that encloses what is being written: `again` is the label `continue` means (-1: none), `follow` the
    one `break` means, `far` the labels left for through the variable."""

    __slots__ = ("again", "far", "follow", "variable")

    def __init__(self, again: int, follow: int, variable: str) -> None:
        self.again, self.follow, self.variable = again, follow, variable
        self.far: list[int] = []


class Writer:
    """Items to lines. `wrap` puts every label behind a loop that runs once, which keeps the indentation flat."""

    def __init__(self, wrap: bool) -> None:
        self._wrap, self._count = wrap, 0

    def items(self, items: list[Item], fall: int, around: tuple[_Around, ...], indent: int) -> list[Line]:
        """`fall` is the label that reaching the end means; -1 if it means none."""
        if indent > MAX_INDENT:
            raise TooDeep
        out: list[Line] = []
        for index, item in enumerate(items):
            last = index == len(items) - 1
            match item:
                case Straight(lines):
                    out += [Line(text, pc, indent + inner) for text, pc, inner in lines]
                case Goto(label):
                    out += self._goto(label, fall, around, indent)
                case Choice():
                    out += self._choice(item, fall, around, indent)
                case Labelled(label, body):
                    if self._wrap or not _ends_there(body, label):
                        out += self._once(label, body, fall, around, indent)
                    else:
                        out += self.items(body, label, around, indent)
                case Loop():
                    out += self._loop(item, fall if last else -1, fall, around, indent)
        return out

    def _goto(self, label: int, fall: int, around: tuple[_Around, ...], indent: int) -> list[Line]:
        if label == fall:
            return []
        inner = around[-1]
        if label == inner.again:
            return [Line("continue", -1, indent)]
        if label == inner.follow:
            return [Line("break", -1, indent)]
        if label not in inner.far:
            inner.far.append(label)
        return [Line(f"{inner.variable} = {label}", -1, indent), Line("break", -1, indent)]

    def _choice(self, item: Choice, fall: int, around: tuple[_Around, ...], indent: int) -> list[Line]:
        """The arm that leaves stands in the `if`, and the other one behind it, not in an `else`."""
        yes, no, first, second = item.yes, item.no, item.then, item.other
        if _is_short(second) and not _is_short(first):
            yes, no, first, second = no, yes, second, first
        then = self.items(first, fall, around, indent + 1)
        if then and _leaves(then):
            return [Line(f"if {yes}:", item.pc, indent), *then, *self.items(second, fall, around, indent)]
        other = self.items(second, fall, around, indent + 1)
        if not then:
            return [Line(f"if {no}:", item.pc, indent), *other] if other else []
        out = [Line(f"if {yes}:", item.pc, indent), *then]
        return [*out, Line("else:", item.pc, indent), *other] if other else out

    def _once(self, label: int, body: list[Item], fall: int, around: tuple[_Around, ...], indent: int) -> list[Line]:
        return self._python_loop(Line("while True:", -1, indent), _Around(-1, label, self._name()), body, -1,
                                 label, around, indent, [])

    def _loop(self, item: Loop, follow: int, fall: int, around: tuple[_Around, ...], indent: int) -> list[Line]:
        inside = _Around(item.label, follow, self._name())
        return self._python_loop(item.head._replace(indent=indent), inside, item.body, item.label, fall, around, indent,
                                 item.over)

    def _python_loop(self, head: Line, inside: _Around, body: list[Item], body_fall: int, fall: int,
                     around: tuple[_Around, ...], indent: int, over: list[Line]) -> list[Line]:
        """The loop; then, for each label left for through its variable, the rest of the way there."""
        if len(around) >= MAX_LOOPS:
            raise TooDeep
        lines = self.items(body, body_fall, (*around, inside), indent + 1)
        out = [head, *(lines or [Line("pass", -1, indent + 1)])]
        if over:
            out += [Line("else:", -1, indent), *(line._replace(indent=indent + 1) for line in over)]
        if inside.far:
            out.insert(0, Line(f"{inside.variable} = -1", -1, indent))
        for label in inside.far:
            onward = self._goto(label, fall, around, indent + 1)
            if onward:
                out += [Line(f"if {inside.variable} == {label}:", -1, indent), *onward]
        return out

    def _name(self) -> str:
        self._count += 1
        return f"x{self._count}"


def _leaves(lines: list[Line]) -> bool:
    """Does control never reach the end of these lines? (Only what the last line at the outer level says.)"""
    last = lines[-1]
    return last.indent == lines[0].indent and last.text.startswith(("return", "break", "continue"))


def _is_short(items: list[Item]) -> bool:
    return all(isinstance(item, (Straight, Goto)) for item in items)


def _ends_there(items: list[Item], label: int) -> bool:
    """Is every goto to `label` in a place from which reaching the end gets there?"""
    *first, last = items
    if any(_mentions(item, label) for item in first):
        return False
    match last:
        case Choice(then=then, other=other):
            return _ends_there(then, label) and _ends_there(other, label)
        case Labelled():
            return not _mentions(last, label)
    return True


def _mentions(item: Item, label: int) -> bool:
    match item:
        case Goto(there):
            return there == label
        case Choice(then=then, other=other):
            return any(_mentions(one, label) for one in (*then, *other))
        case Labelled(body=body) | Loop(body=body):
            return any(_mentions(one, label) for one in body)
    return False


class Shaper:
    """A reducible `Flow` as items. `parts` gives what only the emitter knows: the lines of a block, of an edge, of a
    loop's head, and a block's condition."""

    def __init__(self, flow: Flow, parts: "Parts") -> None:
        self._flow, self._parts = flow, parts
        self._children: dict[int, list[int]] = {block: [] for block in flow.order}
        for block in flow.order[1:]:
            self._children[flow.idom[block]].append(block)
        self._labels = {block for block in flow.order
                        if sum(not flow.is_back(p, block) for p in flow.preds[block]) > 1}
        self._owned: dict[int, list[int]] = {}
        self._claim_exits()

    def _claim_exits(self) -> None:
        """What a loop is left for belongs behind the outermost loop that it is not part of."""
        flow, claimed = self._flow, set[int]()
        for header in flow.order:
            body = flow.loop_of(header)
            if not body:
                continue
            exits = [b for b in flow.order if b not in body and b not in claimed and flow.idom[b] in body]
            claimed.update(exits)
            self._owned[header] = exits
        self._labels |= claimed
        for block, children in self._children.items():
            self._children[block] = [c for c in children if c not in claimed]

    def function(self) -> list[Item]:
        return self._tree(self._flow.function.start)

    def _tree(self, block: int) -> list[Item]:
        """The block and all it dominates. Only label nesting and branches recurse."""
        inner = [c for c in self._children[block] if c in self._labels]
        items = self._within(block, inner)
        if block in self._owned:
            head, over = self._parts.loop_head(block)
            items = self._around([Loop(block, head, items, over)], self._owned[block])
        return items

    def _within(self, block: int, labels: list[int]) -> list[Item]:
        return self._around(self._body(block), labels)

    def _around(self, items: list[Item], labels: list[int]) -> list[Item]:
        """`items`, with each label's own code behind, the nearest first."""
        for label in sorted(labels, key=self._flow.rank.__getitem__):
            items = [Labelled(label, items), *self._tree(label)]
        return items

    def _body(self, block: int) -> list[Item]:
        lines, leaves = self._parts.lines(block)
        items: list[Item] = [Straight(lines, leaves)]
        succ = self._flow.blocks[block].succ
        if len(succ) == 2:
            yes, no, pc = self._parts.condition(block)
            items.append(Choice(yes, no, pc, self._edge(block, succ[1], True), self._edge(block, succ[0], False)))
        elif succ:
            items += self._edge(block, succ[0], True)
        return items

    def _edge(self, block: int, target: int, taken: bool) -> list[Item]:
        items: list[Item] = [Straight(self._parts.edge(block, target, taken))]
        if target in self._labels or self._flow.is_back(block, target):
            return [*items, Goto(target)]
        return [*items, *self._tree(target)]


class Parts:
    """What a Shaper asks of whoever knows the instructions."""

    def lines(self, block: int) -> tuple[list[Line], bool]:
        """The block without its final jump, and whether it ends in return."""
        raise NotImplementedError

    def condition(self, block: int) -> tuple[str, str, int]:
        """Of the final conditional jump: when it is taken, when not, its slot."""
        raise NotImplementedError

    def edge(self, block: int, target: int, taken: bool) -> list[Line]:
        """What happens on the way from `block` to `target`, which is the jump's target or what falls through."""
        raise NotImplementedError

    def loop_head(self, block: int) -> tuple[Line, list[Line]]:
        """The line that starts the loop, and the lines of its else."""
        raise NotImplementedError


def structured(flow: Flow, parts: Parts) -> list[Line]:
    """The function's body as lines. TooDeep if Python cannot nest it."""
    outermost = (_Around(-1, -1, "x0"),)
    try:
        items = Shaper(flow, parts).function()
        try:
            return Writer(wrap=False).items(items, -1, outermost, 1)
        except TooDeep:
            return Writer(wrap=True).items(items, -1, outermost, 1)
    except RecursionError:
        raise TooDeep from None


def dispatched(flow: Flow, parts: Parts) -> list[Line]:
    """The same for any graph: one loop around a binary search for the next block."""
    def search(blocks: list[int], indent: int) -> list[Line]:
        if len(blocks) > 1:
            half = len(blocks) // 2
            return [Line(f"if pc < {blocks[half]}:", -1, indent), *search(blocks[:half], indent + 1),
                    Line("else:", -1, indent), *search(blocks[half:], indent + 1)]
        block = blocks[0]
        lines, _ = parts.lines(block)
        out = [Line(text, pc, indent + inner) for text, pc, inner in lines]
        succ = flow.blocks[block].succ
        if len(succ) == 2:
            yes, _, pc = parts.condition(block)
            out += [Line(f"if {yes}:", pc, indent), *go(block, succ[1], True, indent + 1), Line("else:", pc, indent),
                    *go(block, succ[0], False, indent + 1)]
        elif succ:
            out += go(block, succ[0], True, indent)
        return out

    def go(block: int, target: int, taken: bool, indent: int) -> list[Line]:
        lines = [Line(text, pc, indent + inner) for text, pc, inner in parts.edge(block, target, taken)]
        return [*lines, Line(f"pc = {target}", -1, indent)]

    return [Line(f"pc = {flow.function.start}", -1, 1), Line("while True:", -1, 1), *search(sorted(flow.order), 2)]
