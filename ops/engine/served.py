"""When published messages became readable: the wall clock of each durable commit, kept beside the log.

A message holds the times up to its publishing; when it was durable nobody knows before it is. So the process that
publishes notes, after each commit, which messages it made readable, in a small file of entries (first offset, offset
behind the last, ms since 1970). It is not synced: after a crash the newest times are missing, and nothing else.

Garbage: a full file becomes the old one, and the old one goes. So the last 43,000 commits at least are kept.
"""

import struct
from bisect import bisect_right
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path

_ENTRY = struct.Struct(">QQd")
_BYTES_MAX = 1 << 20
_NEW, _OLD = "documents", "documents.old"


class ServedFile:
    """Of a data folder; the one process that publishes writes it. end: of the topic when it begins."""

    def __init__(self, folder: Path, end: int) -> None:
        self._folder = folder / "served"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._waiting: list[bytes] = []
        self._end = end

    def note(self, end: int, now_ms: float) -> None:
        """What was appended below the offset `end` since the last call is readable since now_ms."""
        if end > self._end:
            self._waiting.append(_ENTRY.pack(self._end, end, now_ms))
            self._end = end

    def write(self) -> None:
        """A Periodic of the loop. Raises OSError when the disk is full: what waits is kept for the next time."""
        if not self._waiting:
            return
        path = self._folder / _NEW
        with path.open("ab") as file:
            file.truncate(file.tell() // _ENTRY.size * _ENTRY.size)  # a full disk cuts an entry short
            file.write(b"".join(self._waiting))
            full = file.tell() >= _BYTES_MAX
        self._waiting.clear()
        if full:
            path.replace(self._folder / _OLD)


class ServedTimes:
    """What the file says."""

    def __init__(self, entries: Sequence[tuple[int, int, float]]) -> None:
        self._entries = sorted(entries)

    def at(self, offset: int) -> float | None:
        """Wall clock, ms, since when the message is readable; None when that was not noted, or is forgotten."""
        place = bisect_right(self._entries, offset, key=itemgetter(0)) - 1
        if place < 0:
            return None
        _, end, at_ms = self._entries[place]
        return at_ms if offset < end else None


def read_served(folder: Path) -> ServedTimes:
    """Empty when nothing was ever noted."""
    entries: list[tuple[int, int, float]] = []
    for name in (_OLD, _NEW):
        try:
            held = (folder / "served" / name).read_bytes()
        except FileNotFoundError:
            continue
        entries += _ENTRY.iter_unpack(held[: len(held) // _ENTRY.size * _ENTRY.size])
    return ServedTimes(entries)
