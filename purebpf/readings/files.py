"""A map as a directory: each entry is a file that is called like its key and holds its value, in text.

    cat 1234                 5                     numbers as they are, text with % for / and the like
    echo '{"a": 7}' > 80     rm 80                 records as JSON; members left out are zero
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, MutableMapping
from errno import EINVAL, EIO, ENOENT
from typing import Any
from urllib.parse import quote, unquote

from ..btf.record import plain
from ..errors import KernelError, KeyMissing, PureBpfError
from .table import as_text

_PLAIN = " !#$&'()*+,-:;<=>?@[]^_`{|}~\""  # what needs no % in the name of a file, besides letters, digits and dots


class MapFiles:
    """Names and texts of a map's entries. What cannot be is an OSError, as the callers of a file system want it."""

    def __init__(self, live: MutableMapping[Any, Any]) -> None:
        self._live = live
        self._keys: dict[str, Any] = {}  # as they were last listed

    def names(self) -> Iterator[str]:
        self._keys = {name_of(key): key for key in self._live}
        return iter(self._keys)

    def _key(self, name: str) -> Any:
        if name not in self._keys:
            self._keys[name] = key_of(name)
        return self._keys[name]

    def read(self, name: str) -> bytes:
        """The text of an entry, a line. FileNotFoundError."""
        try:
            value = self._live[self._key(name)]
        except KeyMissing:
            raise FileNotFoundError(ENOENT, "no such entry") from None
        except PureBpfError as error:
            raise _failed(error, ENOENT) from None  # its name cannot be a key
        given = plain(value)
        return (given if isinstance(given, str) else json.dumps(given, default=as_text)).encode(errors="surrogateescape") + b"\n"

    def write(self, name: str, text: bytes) -> None:
        """Make or change an entry; what is no value of the map is an OSError of EINVAL."""
        try:
            self._live[self._key(name)] = parsed(text.decode(errors="surrogateescape").removesuffix("\n"))
        except PureBpfError as error:
            raise _failed(error, EINVAL) from None

    def remove(self, name: str) -> None:
        try:
            del self._live[self._key(name)]
        except KeyMissing:
            raise FileNotFoundError(ENOENT, "no such entry") from None
        except PureBpfError as error:
            raise _failed(error, EINVAL) from None


def name_of(key: Any) -> str:
    """A key as the name of a file."""
    given = plain(key)
    text = given if isinstance(given, str) else json.dumps(given, default=as_text)
    name = quote(text, safe=_PLAIN, errors="surrogateescape")
    return name.replace(".", "%2E") if name in (".", "..") else name or "%"


def key_of(name: str) -> Any:
    """What such a name stands for: a number, JSON, else text."""
    return "" if name == "%" else parsed(unquote(name, errors="surrogateescape"))


def parsed(text: str) -> Any:
    """A value as text: JSON, or as Python writes it, else the text itself."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            pass
    return text


def _failed(error: PureBpfError, number: int) -> OSError:
    return OSError(error.errno if isinstance(error, KernelError) else number or EIO, str(error))
