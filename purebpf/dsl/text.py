"""Words for addresses and bytes as people read them: the same in programs, in prints and in Python.

In a program they are text that the kernel formats; called from Python they give a `str`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..order import NETWORK
from .flow import Word


class TextWord(Word):
    """A word that gives text on both sides."""

    def __init__(self, function: Callable[[Any], str]) -> None:
        super().__init__(function.__name__.strip("_"), function.__doc__ or "")
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        return self.function(*args, **kwargs)


def _bytes(value: int | Iterable[int], size: int, name: str) -> bytes:
    data = value.to_bytes(size, NETWORK.name) if isinstance(value, int) else bytes(value)
    if len(data) != size:
        raise ValueError(f"{name}() takes {size} bytes, these are {len(data)}")
    return data


def _ip4(address: int | Iterable[int]) -> str:
    """An IPv4 address, a number or four bytes: "10.11.12.13"."""
    return ".".join(map(str, _bytes(address, 4, "ip4")))


def _ip6(address: int | Iterable[int]) -> str:
    """An IPv6 address, sixteen bytes: all of its groups, "fe80:0000:0000:0000:0000:0000:0000:0001"."""
    digits = _bytes(address, 16, "ip6").hex()
    return ":".join(digits[i : i + 4] for i in range(0, 32, 4))


def _mac(address: int | Iterable[int]) -> str:
    """An Ethernet address, six bytes: "01:02:03:ab:00:ff"."""
    return _bytes(address, 6, "mac").hex(":")


def _hex(data: Iterable[int]) -> str:
    """The digits of bytes, two each: "0a0bff"."""
    return bytes(data).hex()


def _ksym(address: int) -> str:
    """The name of the kernel function at an address."""
    name: str = import_module("purebpf.api").kernel_symbol(address)
    return name


if TYPE_CHECKING:

    def ip4(address: int | Iterable[int]) -> str: ...
    def ip6(address: Iterable[int]) -> str: ...
    def mac(address: Iterable[int]) -> str: ...
    def hex(data: Iterable[int]) -> str: ...
    def ksym(address: Any) -> str: ...
else:
    ip4, ip6, mac, hex, ksym = map(TextWord, (_ip4, _ip6, _mac, _hex, _ksym))
