"""f-strings into records of a ring buffer, entries of maps, the packet; of pieces of text; over themselves."""

import purebpf as bpf
from purebpf import Array, Global, LruHash, RingBuf, char, u32


@bpf.struct
class Event:
    pid: u32
    text: char[20]


events = RingBuf[Event](max_entries=4096)
names = Array[char[12]](max_entries=4)
last = LruHash[u32, Event](max_entries=8)
word = Global[char[8]]()


@bpf.struct
class Head:
    text: char[8]


@bpf.xdp
def prog(ctx):
    n = ctx.packet[40]
    with events.reserve() as e:
        e.pid = n
        e.text = f"{word}:{word}:{n}"
    names[1] = f"name {n}"
    last[3] = Event(pid=n, text=f"{n:5d}")
    word.value = f"<{word}>"
    entry = last.lookup(3)
    if entry is not None:
        entry.text = f"{entry.text}{-n}"
    head = ctx.packet.pull(Head)
    if head is None:
        return 1
    head.text = f"{word}{word}"
    return 2


CASES = [
    {"data": bytes(40) + b"\x21" + bytes(23), "set": {"word": "ab"}, "retval": 2, "records": {"events": [(33, "ab:ab:33")]},
     "maps_after": {"names": {1: "name 33"}, "last": {3: (33, "   33-33")}}, "globals_after": {"word": "<ab>"},
     "after": b"<ab><ab" + bytes(33) + b"\x21" + bytes(23)},
    {"data": bytes(40) + b"\xff" + bytes(23), "set": {"word": "abcdefgh"}, "retval": 2,
     "records": {"events": [(255, "abcdefgh:abcdefgh:2")]}, "globals_after": {"word": "<abcdef"}},
]
