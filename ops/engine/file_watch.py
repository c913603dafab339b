"""Wakes the loop when a file of a SQLite database is written: inotify, where there is one (Linux).

So an idle process need not poll 200 times a second to see the first edit at once. It is a hint like a ring: where it
does not work (macOS, a network file system), polling finds the edit a little later.
"""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from struct import Struct
from typing import Self

_IN_MODIFY, _IN_CREATE = 0x2, 0x100
_EVENT = Struct("iIII")  # watch, mask, cookie, length of the name that follows
_BUFFER_BYTES = 1 << 16


class FileWatch:
    """For `Doorbell.watch`. changed: called on the waiting thread when the file, or its journal, was written."""

    def __init__(self, descriptor: int, name: bytes, changed: Callable[[], None]) -> None:
        self._descriptor, self._name, self._changed = descriptor, name, changed

    @classmethod
    def open(cls, file: Path, changed: Callable[[], None]) -> Self | None:
        """None where the system has nothing of the kind, or refuses (too many watches)."""
        libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(libc, "inotify_init1"):
            return None
        descriptor: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if descriptor < 0:
            return None
        folder = os.fsencode(file.resolve().parent)
        if libc.inotify_add_watch(descriptor, folder, _IN_MODIFY | _IN_CREATE) < 0:
            os.close(descriptor)
            return None
        return cls(descriptor, os.fsencode(file.resolve().name), changed)

    def fileno(self) -> int:
        """For select."""
        return self._descriptor

    def drain(self) -> bool:
        """Takes all events; True when one was about the file (or its journal, or its write-ahead log)."""
        try:
            events = os.read(self._descriptor, _BUFFER_BYTES)
        except BlockingIOError:
            return False
        at, ours = 0, False
        while at < len(events):
            length = _EVENT.unpack_from(events, at)[3]
            at += _EVENT.size
            ours |= events[at : at + length].startswith(self._name)
            at += length
        if ours:
            self._changed()
        return ours

    def close(self) -> None:
        """Stops watching."""
        os.close(self._descriptor)
