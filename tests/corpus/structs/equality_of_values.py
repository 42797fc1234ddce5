"""A struct compared with one that is written on the spot, on either side, or that Python made."""

import purebpf as bpf
from purebpf import Global, HashMap, u8, u32


@bpf.struct
class Point:
    x: u32
    y: u32
    tag: u8


@bpf.struct
class Line:
    a: Point
    b: Point


ORIGIN = Point(x=1, y=2)
line = Global[Line]()
points = HashMap[u32, Point](max_entries=8)


def moved(p):
    return Point(x=p.x + 1, y=p.y)


@bpf.syscall
def prog(ctx):
    found = 0
    line.a = Point(x=5, y=10)
    if line.a == Point(x=5, y=10):
        found |= 1
    if Point(x=5, y=10) == line.a:
        found |= 2
    if line.a != Point(x=5, y=11):
        found |= 4
    if Point(x=5, y=10, tag=1) != line.a:
        found |= 8
    line.b = ORIGIN
    if line.b == ORIGIN and ORIGIN == line.b:
        found |= 16
    if moved(line.b) == Point(x=2, y=2):
        found |= 32
    points[7] = Point(x=5, y=10)
    p = points.lookup(7)
    if p is not None and p == Point(x=5, y=10):
        found |= 64
    if Point(x=1) == Point(x=1) and line.a == line.a:
        found |= 128
    if line == Line(a=Point(x=5, y=10), b=Point(x=1, y=2)):
        found |= 256
    if points.get(7) == Point(x=5, y=10):
        found |= 512
    return found


CASES = [{"retval": 1023}]
