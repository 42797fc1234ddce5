"""Reading records that programs send: what ring buffers and perf buffers have in common.

Every record is given once. Records are taken out of the kernel's memory in batches; the batch is an iterator that all ways
of reading share, so a loop that is left early leaves the rest to whoever reads next. A batch and the positions that let the
kernel write over it are kept in one tuple, stored in one step: an interrupt neither loses a batch nor gives it twice.

Any number of threads may read, each record goes to one of them. Closing wakes those that wait.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from errno import EINVAL
from operator import length_hint
from typing import Any, Generic, TypeVar

from .fd import Fd
from .refusals import refuse

T = TypeVar("T")


class Reader(Generic[T]):
    """One consumer. A kind of buffer says how records are taken (`_take`), where the kernel is told so (`_commit`), which
    descriptors become readable (`sources`) and what to give back at the end (`_release`)."""

    def __init__(self, decode: Callable[[bytes], T], what: str) -> None:
        self._decode, self._what = decode, what
        self._batch: tuple[Iterator[bytes], Any] = (iter(()), None)
        self._lock = threading.Condition()
        self._waiting: list[int] = []  # threads
        self._sleeping: list[_Sleeper] = []  # those of them that run an event loop
        self._closed = False
        try:
            self._wake = Fd.owning(f"wake-up of {what}", os.eventfd, 0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        except OSError as error:
            raise refuse(error.errno or EINVAL, f"opening {what}", caps=()) from None

    # of each kind

    def _take(self) -> tuple[list[bytes], Any]:
        """The finished records, and what `_commit` needs to give their room back. Changes nothing."""
        raise NotImplementedError

    def _commit(self, token: Any) -> None:
        """The kernel may write over the records. Done twice it is as done once."""
        raise NotImplementedError

    def sources(self) -> list[int]:
        """Descriptors of which one is readable when there are records."""
        raise NotImplementedError

    def _release(self) -> None:
        raise NotImplementedError

    # life

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Wake who waits, let them leave, give everything back. A second time is fine."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            os.eventfd_write(self._wake.fileno(), 1)
            me = threading.get_ident()  # a signal's handler may close what its own thread waits for
            for one in self._sleeping:
                if one.thread == me:
                    one.leave()  # its loop runs in this thread: it cannot leave by itself before the end of this
                else:
                    one.loop.call_soon_threadsafe(one.settle)
            self._lock.wait_for(lambda: all(thread == me for thread in self._waiting))
        self._release()
        self._wake.close()

    def _check(self) -> None:
        if self._closed:
            raise ValueError(f"{self._what} is closed")

    # records

    def _refill(self) -> bool:
        """Are there records? Takes some out of the kernel when none are left here. Called with the lock held."""
        records, token = self._batch
        if length_hint(records):
            return True
        if self._closed:
            return False
        if token is not None:
            self._commit(token)  # once more: an interrupt may have come before the first time
        found, token = self._take()
        if token is None:
            return False
        self._batch = (iter(found), token)
        self._commit(token)
        return bool(found)

    def wait(self, timeout: float | None = None) -> bool:
        """Until there are records, at most `timeout` seconds (None: for ever): are there any? False when closed."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._lock:
                if self._refill():
                    return True
                if self._closed:
                    return False
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    return False
                me = threading.get_ident()
                self._waiting.append(me)
            try:
                wait_readable([*self.sources(), self._wake.fileno()], left)
            finally:
                with self._lock:
                    self._waiting.remove(me)
                    self._lock.notify_all()

    def raw(self) -> list[bytes]:
        """The records that are there now, as bytes; never waits."""
        self._check()
        with self._lock:
            self._refill()
            return list(self._batch[0])

    def _decoded(self, records: list[bytes]) -> list[T]:
        """A record that cannot be decoded is an error of its own, raised when it comes first; none around it is lost."""
        events: list[T] = []
        try:
            events.extend(map(self._decode, records))
        except Exception:
            rest = records[len(events):] if events else records[1:]
            with self._lock:
                self._batch = (iter([*rest, *self._batch[0]]), self._batch[1])
            if not events:
                raise
        return events

    def read(self) -> list[T]:
        """The events that are there now; never waits."""
        return self._decoded(self.raw())

    def poll(self, timeout_ms: float = -1) -> list[T]:
        """Waits until there is an event, at most `timeout_ms` (-1: for ever); all events then, or []."""
        self._check()
        if not self.wait(None if timeout_ms < 0 else timeout_ms / 1000):
            return []
        with self._lock:
            records = list(self._batch[0])
        return self._decoded(records)

    def events(self, timeout: float | None = None) -> Iterator[T]:
        """Events one by one as they come; ends when none came for `timeout` seconds (None: never), or when closed. What
        follows the one at which the loop is left is there for the next reader."""
        self._check()
        while self.wait(timeout):
            yield from map(self._decode, self._batch[0])

    def each(self, callback: Callable[[T], object]) -> int:
        """Call `callback` with every event that is there now; how many. One that raises is used up, the others stay."""
        self._check()
        with self._lock:
            self._refill()
            records = self._batch[0]
        count = 0
        for event in map(self._decode, records):
            count += 1
            callback(event)
        return count

    async def aevents(self) -> AsyncIterator[T]:
        """`async for`: events as they come, until closed."""
        import asyncio

        self._check()
        loop = asyncio.get_running_loop()
        while not self._closed:
            with self._lock:
                self._refill()
                records = self._batch[0]
            for event in map(self._decode, records):
                yield event
            with self._lock:
                if self._closed or self._refill():
                    continue
                sleeper = _Sleeper(loop, self.sources())
                self._sleeping.append(sleeper)
                self._waiting.append(sleeper.thread)
            try:
                await sleeper.woken
            finally:
                with self._lock:
                    sleeper.leave()
                    self._sleeping.remove(sleeper)
                    self._waiting.remove(sleeper.thread)
                    self._lock.notify_all()


class _Sleeper:
    """A coroutine that waits for one of some descriptors."""

    __slots__ = ("loop", "woken", "thread", "_fds")

    def __init__(self, loop: Any, fds: list[int]) -> None:
        self.loop, self.woken, self.thread = loop, loop.create_future(), threading.get_ident()
        self._fds = fds
        for fd in fds:
            loop.add_reader(fd, self.settle)

    def settle(self) -> None:
        if not self.woken.done():
            self.woken.set_result(None)

    def leave(self) -> None:
        fds, self._fds = self._fds, []
        for fd in fds:
            self.loop.remove_reader(fd)
        self.settle()


def wait_readable(fds: list[int], timeout: float | None) -> bool:
    """Until one is readable, at most `timeout` seconds. A poll object of its own for each wait: one may be used by one
    thread at a time, and epoll would trust a wake-up that it may have missed."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return bool(poll.poll(None if timeout is None else max(1, round(timeout * 1000))))
