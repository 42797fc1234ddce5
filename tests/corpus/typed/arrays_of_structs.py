"""Structs within structs, arrays of them, and text in arrays."""

from typing import Literal

import purebpf as bpf
from purebpf import Array, Global, char, i32, u8, u16, u32


@bpf.struct
class Point:
    x: i32 = 0
    y: i32 = 0


@bpf.struct
class Shape:
    name: Array[char, Literal[8]]
    corners: Array[Point, Literal[4]]
    used: u8


@bpf.struct(packed=True)
class Header:
    kind: u8
    size: u16


shapes = Global[Array[Shape, Literal[2]]]()
names = Global[Array[Array[char, Literal[8]], Literal[3]]]()
total = Global[i32](0)
width = Global[u32](0)


def add(shape: Shape, point: Point) -> bool:
    if shape.used >= 4:
        return False
    shape.corners[shape.used & 3] = point
    shape.used += 1
    return True


def sum_of(shape: Shape) -> int:
    n = 0
    for corner in shape.corners:
        n += corner.x + corner.y
    return n


@bpf.xdp
def program(ctx: bpf.XdpContext) -> bpf.XdpAction:
    shape: Shape = shapes[1]
    shape.name = "square"
    for i in range(3):
        if not add(shape, Point(x=i, y=-1)):
            return bpf.XDP_DROP
    add(shape, Point(y=40))
    total.value = sum_of(shape)
    names[2] = shape.name
    width.value = bpf.sizeof(Header)
    return bpf.XDP_PASS if shape.name == "square" else bpf.XDP_DROP


CASES = [{"retval": 2, "globals_after": {"total": 40, "width": 3, "names": ["", "", "square"]}}]
