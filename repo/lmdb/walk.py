"""Walks along LMDB cursors: rows of a group, versions of a cell, entries of an index, ranges of about equal size."""

from collections.abc import Callable
from typing import NamedTuple

import lmdb

from repo.api import Version
from repo.lmdb.layout import Layout, timestamp_of

_LOOKED_AT_MAX = 20_000  # rows or cells in one LMDB read transaction
_SAMPLES_A_RANGE = 64

Opened = Callable[[bytes | None], bytes | None]


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


def versioned_rows(
    cursor: "lmdb.Cursor[bytes]",
    layout: Layout,
    place: Place,
    inverted_snapshot: bytes,
    opened: Opened,
    limit: int,
    rows: list[tuple[bytes, Version]],
) -> Place | None:
    """Adds the visible rows until there are `limit`; returns where to go on, None at the end."""
    seek, suffix, end = cursor.set_range, layout.group_id + inverted_snapshot, place.end
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
            value = opened(cursor.value())
            if value is not None:
                rows.append((row[2:], Version(timestamp_of(at), value)))
        next_row = row + b"\xff"  # above every group, and below every other row
        if len(rows) >= limit:
            return Place(next_row, end)
        more = seek(next_row)
    return Place(cursor.key(), end) if more else None


def newest_rows(
    cursor: "lmdb.Cursor[bytes]", layout: Layout, place: Place, limit: int, rows: list[tuple[bytes, Version]]
) -> Place | None:
    """The same for a group that keeps the newest version only."""
    group_id, end = layout.group_id, place.end
    more = cursor.set_range(place.start)
    for _ in range(_LOOKED_AT_MAX):
        if not more or (at := cursor.key()) >= end:
            return None
        if at[-1:] == group_id and len(stored := cursor.value()) > 8 and at[:-1] != place.without:
            rows.append((at[2:-1], Version(int.from_bytes(stored[:8], "big"), stored[8:])))
            if len(rows) >= limit:
                return Place(at + b"\0", end)
        more = cursor.next()
    return Place(cursor.key(), end) if more else None


def versions(
    cursor: "lmdb.Cursor[bytes]", chain: bytes, inverted_snapshot: bytes, opened: Opened, limit: int
) -> list[Version]:
    """Of one cell, newest first."""
    found: list[Version] = []
    more = cursor.set_range(chain + inverted_snapshot)
    while more and len(found) < limit and cursor.key()[:-8] == chain:
        at, value = cursor.item()
        found.append(Version(timestamp_of(at), opened(value)))
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
    """Every n-th key of a table, n doubled whenever there are too many: enough to cut the table into ranges of about equal size."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._stride = 1
        self._seen = 0
        self._keys: list[bytes] = []

    def add_slice(self, cursor: "lmdb.Cursor[bytes]", table_id: bytes, start: bytes, key_end: int) -> bytes | None:
        """Looks at some cells from `start`; returns where to go on, None at the table's end. key_end: where a row's key ends."""
        if not cursor.set_range(start):
            return None
        for looked_at, at in enumerate(cursor.iternext(values=False)):
            if not at.startswith(table_id):
                return None
            if looked_at == _LOOKED_AT_MAX:
                return at
            self._add(at, key_end)
        return None

    def ranges(self) -> list[tuple[bytes, bytes | None]]:
        """See Snapshot.partitions. A bound is a key without its last byte: no key, since keys are prefix-free, so none is lost."""
        keys = sorted(set(self._keys))
        count = max(1, min(self._count, len(keys)))
        bounds = [keys[number * len(keys) // count][:-1] for number in range(1, count)]
        return list(zip([b"", *bounds], [*bounds, None], strict=True))

    def _add(self, at: bytes, key_end: int) -> None:
        self._seen += 1
        if self._seen % self._stride == 0:
            self._keys.append(at[2:key_end])
            if len(self._keys) >= 2 * _SAMPLES_A_RANGE * self._count:
                self._keys = self._keys[1::2]
                self._stride *= 2
