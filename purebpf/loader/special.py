"""Keys and values that mean more than their bytes: prefixes of a trie, stacks of addresses, records of a ring."""

from __future__ import annotations

import struct
from typing import Any

from ..btf import Btf
from ..btf.layout import size_of
from ..btf.values import codec
from . import sys
from .symbolize import Stack


class TrieKey:
    """Keys of an LPM trie: also a network as text ("10.0.0.0/8", "fe80::/10") or an `ipaddress` object; read back as the
    map's type says."""

    __slots__ = ("decode", "_one", "_size")

    def __init__(self, one: Any, size: int) -> None:
        self._one, self._size, self.decode = one, size, one.decode

    def encode(self, key: Any) -> bytes:
        if isinstance(key, str) or hasattr(key, "network_address"):
            from ipaddress import ip_network

            network = ip_network(key, strict=False)
            data = network.network_address.packed
            if len(data) != self._size - 4:
                raise ValueError(f"{key} has {len(data)} bytes, the keys of this map {self._size - 4}")
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
        raise ValueError("stack traces are written by programs only")


class Records:
    """Ring-buffer records: the type's value when the record is long enough for it, else the bytes."""

    __slots__ = ("_btf", "_type", "_one", "decode")

    def __init__(self, btf: Btf, type_id: int) -> None:
        self._btf, self._type = btf, type_id
        self._one = one = codec(btf, type_id, size_of(btf, type_id))
        whole, size = one.decode, one.size

        def decode(data: bytes) -> Any:
            return whole(data) if len(data) >= size else data

        self.decode = decode

    def encode(self, value: Any) -> bytes:
        return value if isinstance(value, bytes) else self._one.encode(value)

    def numpy_type(self) -> Any:
        """What numpy.dtype takes for it."""
        from .arrays import numpy_type

        return numpy_type(self._btf, self._type)


class PlainRecords:
    """Records of no known type."""

    @staticmethod
    def decode(data: bytes) -> bytes:
        return data

    @staticmethod
    def encode(value: Any) -> bytes:
        return bytes(value)
