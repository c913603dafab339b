"""Walks along LMDB cursors: rows of a group, versions of a cell, entries of an index, ranges of about equal size."""

from collections.abc import Callable
from typing import NamedTuple

import lmdb

from repo.api import Version
from repo.lmdb.layout import Layout

_LOOKED_AT_MAX = 20_000  # rows or cells in one LMDB read transaction
_SAMPLES_A_RANGE = 64

Decode = Callable[[bytes, bytes], Version]
"""A record of `cells` (key, value) -> the version that it holds."""


class Place(NamedTuple):
    """Where a scan goes on (a key of the database), where it ends, and the row that it leaves out at its start."""

    start: bytes
    end: bytes
    without: bytes = b""


def start_of(layout: Layout, after: bytes, before: bytes | None) -> Place:
    """Rows with after < key < before."""
    table_id = layout.table_id
    end = (int.from_bytes(table_id, "big") + 1).to_bytes(2, "big") if before is None else table_id + before
    return Place(table_id + after, end, table_id + after)


def rows(
    cursor: "lmdb.Cursor[bytes]",
    place: Place,
    suffix: bytes,
    decode: Decode,
    limit: int,
    found: list[tuple[bytes, Version]],
) -> Place | None:
    """Adds the visible rows to `found` until it has `limit`; returns where to go on, None at the end.

    suffix: what follows table id and key in the seek for the version that the snapshot sees.
    """
    seek, end = cursor.set_range, place.end
    more = seek(place.start)
    if more and cursor.key()[:-9] == place.without:
        more = seek(place.without + b"\xff")
    for _ in range(_LOOKED_AT_MAX):
        if not more or (at := cursor.key()) >= end:
            return None
        row = at[:-9]
        wanted = row + suffix
        if at < wanted:
            if not seek(wanted):
                return None
            at = cursor.key()
        if at[:-8] == wanted[:-8]:
            version = decode(at, cursor.value())
            if version.value is not None:
                found.append((row[2:], version))
        next_row = row + b"\xff"  # above every group, and below every other row
        if len(found) >= limit:
            return Place(next_row, end)
        more = seek(next_row)
    return Place(cursor.key(), end) if more else None


def versions(cursor: "lmdb.Cursor[bytes]", chain: bytes, start: bytes, decode: Decode, limit: int) -> list[Version]:
    """Of one cell, newest first, from the key `start`."""
    found: list[Version] = []
    more = cursor.set_range(start)
    while more and len(found) < limit and cursor.key()[:-8] == chain:
        found.append(decode(*cursor.item()))
        more = cursor.next()
    return found


def entries(
    cursor: "lmdb.Cursor[bytes]", table_id: bytes, prefix: bytes, limit: int, after: bytes
) -> list[tuple[bytes, bytes]]:
    """The first `limit` entries of an index that begin with `prefix` and lie above `after`."""
    found: list[tuple[bytes, bytes]] = []
    whole = table_id + prefix
    start = table_id + after + b"\0" if after >= prefix and after else whole
    if limit <= 0 or not cursor.set_range(start):
        return found
    for at, value in cursor.iternext():
        if not at.startswith(whole):
            break
        found.append((at[2:], value))
        if len(found) >= limit:
            break
    return found


class Sample:
    """Every n-th key of a table, n doubled whenever there are too many: enough to cut it into about equal ranges."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._stride = 1
        self._seen = 0
        self._keys: list[bytes] = []

    def add_slice(self, cursor: "lmdb.Cursor[bytes]", table_id: bytes, start: bytes) -> bytes | None:
        """Looks at some cells from `start`; returns where to go on, None at the table's end."""
        if not cursor.set_range(start):
            return None
        for looked_at, at in enumerate(cursor.iternext(values=False)):
            if not at.startswith(table_id):
                return None
            if looked_at == _LOOKED_AT_MAX:
                return at
            self._add(at[2:-9])
        return None

    def ranges(self) -> list[tuple[bytes, bytes | None]]:
        """See Snapshot.partitions. A bound is a key without its last byte: never a key itself, so none falls on it."""
        keys = sorted(set(self._keys))
        count = max(1, min(self._count, len(keys)))
        bounds = [keys[number * len(keys) // count][:-1] for number in range(1, count)]
        return list(zip([b"", *bounds], [*bounds, None], strict=True))

    def _add(self, key: bytes) -> None:
        self._seen += 1
        if self._seen % self._stride == 0:
            self._keys.append(key)
            if len(self._keys) >= 2 * _SAMPLES_A_RANGE * self._count:
                self._keys = self._keys[1::2]
                self._stride *= 2
