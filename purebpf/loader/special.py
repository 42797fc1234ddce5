"""Keys and values that mean more than their bytes: prefixes of a trie, stacks of addresses, records of a ring."""

from __future__ import annotations

import socket
import struct
from errno import ENODEV
from typing import Any

from ..btf import Btf
from ..btf.layout import size_of
from ..btf.values import codec
from ..errors import AttachError, FormatError
from . import sys
from .symbolize import Stack


class TrieKey:
    """Keys of an LPM trie: also a network or an address as text ("10.0.0.0/8", "fe80::1") or as an `ipaddress` object; read
    back as the map's type says."""

    __slots__ = ("decode", "_one", "_size")

    def __init__(self, one: Any, size: int) -> None:
        self._one, self._size, self.decode = one, size, one.decode

    def encode(self, key: Any) -> bytes:
        if isinstance(key, str) or hasattr(key, "network_address") or hasattr(key, "packed"):
            from ipaddress import ip_network

            network = ip_network(key, strict=False)  # of an address: all of its bits
            data = network.network_address.packed
            if len(data) != self._size - 4:
                raise FormatError(f"{key} has {len(data)} bytes, the keys of this map {self._size - 4}")
            return sys.pack_u32(network.prefixlen) + data
        encoded: bytes = self._one.encode(key)
        return encoded


class Stacks:
    """Values of a stack trace map: the addresses, innermost first, without the unused end."""

    @staticmethod
    def decode(data: bytes) -> Stack:
        addresses = Stack(struct.unpack(f"={len(data) // 8}Q", data))
        while addresses and not addresses[-1]:
            addresses.pop()
        return addresses

    @staticmethod
    def encode(value: Any) -> bytes:
        raise FormatError("stack traces are written by programs only")


class Devices:
    """Values of a devmap: an interface by name or index, alone or with the program that runs there: "eth0", 3, ("eth0",
    program), {"eth0": program}. Read back as (name, id of the program or 0), or, of 4 bytes, the name; "#3" when the
    interface is gone."""

    __slots__ = ("_size",)

    def __init__(self, size: int) -> None:
        self._size = size

    def encode(self, value: Any) -> bytes:
        if isinstance(value, bytes) and len(value) == self._size:
            return value
        if isinstance(value, dict):
            value = next(iter(value.items())) if len(value) == 1 else value
        device, program = value if isinstance(value, tuple) and len(value) == 2 else (value, None)
        if not isinstance(device, int | str):
            raise FormatError(f"{value!r} is no interface: a name, an index, or (name, program)")
        index = sys.pack_u32(interface(device))
        if self._size == 4:
            if program is not None:
                raise FormatError("the values of this devmap are interfaces alone: declare them 8 bytes long for programs")
            return index
        return index + sys.pack_u32(program if isinstance(program, int) else program.fileno() if program is not None else -1)

    def decode(self, data: bytes) -> Any:
        index = int.from_bytes(data[:4], sys.BYTEORDER)
        try:
            name = socket.if_indextoname(index)
        except OSError:
            name = f"#{index}"
        return name if self._size == 4 else (name, int.from_bytes(data[4:8], sys.BYTEORDER))


def interface(target: str | int) -> int:
    """The index of a network interface. Raises AttachError that lists those there are."""
    if isinstance(target, int):
        return target
    try:
        return socket.if_nametoindex(target)
    except OSError:
        names = ", ".join(name for _, name in socket.if_nameindex())
        raise AttachError(ENODEV, f"network interface {target!r} does not exist", f"there are: {names}", reason="") from None


class Records:
    """Ring-buffer records: the type's value when the record is long enough for it, else the bytes."""

    __slots__ = ("_btf", "_type", "_one", "_numpy", "decode")

    def __init__(self, btf: Btf, type_id: int) -> None:
        self._btf, self._type = btf, type_id
        self._one = one = codec(btf, type_id, size_of(btf, type_id))
        whole, size = one.decode, one.size
        self._numpy: Any = None

        def decode(data: bytes) -> Any:
            return whole(data) if len(data) >= size else data

        self.decode = decode

    def encode(self, value: Any) -> bytes:
        return value if isinstance(value, bytes) else self._one.encode(value)

    def numpy_type(self) -> Any:
        """What numpy.dtype takes for it; made once."""
        from .arrays import numpy_type

        if self._numpy is None:
            self._numpy = numpy_type(self._btf, self._type)
        return self._numpy


class PlainRecords:
    """Records of no known type."""

    @staticmethod
    def decode(data: bytes) -> bytes:
        return data

    @staticmethod
    def encode(value: Any) -> bytes:
        return bytes(value)
