"""A snapshot of the LMDB engine: a timestamp, and reads that seek to it.

It holds no LMDB transaction between two calls; a call with much to do uses several, so that none is open for long.
"""

from collections.abc import Callable, Sequence
from typing import Self

import lmdb

from proto.errors import UnavailableError
from repo.api import Keep, Version
from repo.lmdb import walk
from repo.lmdb.catalog import Catalog
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.layout import (
    APART,
    CELLS,
    INDEX,
    TIMESTAMP,
    TIMESTAMP_MAX,
    UNVERSIONED,
    VALUES,
    Layout,
    inverted,
    timestamp_of,
)
from repo.lmdb.retention import Retention
from repo.lmdb.store import META

_KEYS_A_SLICE = 20_000

_Opened = Callable[[bytes], bytes | None]  # stored value -> value; None for a tombstone


class LmdbSnapshot:
    """See repo.api.Snapshot. Costs nothing to keep or to drop."""

    def __init__(self, environment: LmdbEnvironment, catalog: Catalog, retention: Retention, timestamp: int) -> None:
        self._environment, self._catalog, self._retention = environment, catalog, retention
        self._timestamp, self._inverted = timestamp, inverted(timestamp)

    @property
    def timestamp(self) -> int:
        return self._timestamp

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        layout = self._catalog.layouts[table, group]
        if len(keys) <= _KEYS_A_SLICE:
            return self._read_slice(layout, keys)
        found: list[Version | None] = []
        for start in range(0, len(keys), _KEYS_A_SLICE):
            found += self._read_slice(layout, keys[start : start + _KEYS_A_SLICE])
        return found

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        with self._environment.read() as transaction:
            return self._marks(transaction, tables)

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        table_id = self._catalog.layouts[table, ""].table_id
        with self._environment.read() as transaction, transaction.cursor(self._environment.databases[INDEX]) as cursor:
            return [walk.entries(cursor, table_id, prefix, limit_each, after) for prefix in prefixes]

    def scan(
        self, table: str, group: str, after: bytes = b"", before: bytes | None = None, limit: int = 1000
    ) -> list[tuple[bytes, Version]]:
        layout = self._catalog.layouts[table, group]
        environment, suffix = self._environment, self._visible_from(layout)
        found: list[tuple[bytes, Version]] = []
        place: walk.Place | None = walk.start_of(layout, after, before)
        while place is not None and len(found) < limit:
            with environment.read() as transaction, transaction.cursor(environment.databases[CELLS]) as cursor:
                place = walk.rows(cursor, place, suffix, self._decoder(transaction, layout), limit, found)
                self._check_age(transaction, layout)
        return found

    def partitions(self, table: str, count: int) -> list[tuple[bytes, bytes | None]]:
        table_id, environment = self._catalog.table_id(table), self._environment
        sample = walk.Sample(count)
        place: bytes | None = table_id
        while place is not None:
            with environment.read() as transaction, transaction.cursor(environment.databases[CELLS]) as cursor:
                place = sample.add_slice(cursor, table_id, place)
        return sample.ranges()

    def history(self, table: str, group: str, key: bytes, limit: int = 100) -> list[Version]:
        layout, environment = self._catalog.layouts[table, group], self._environment
        row = layout.table_id + key
        with environment.read() as transaction, transaction.cursor(environment.databases[CELLS]) as cursor:
            start = row + self._visible_from(layout)
            decode = self._decoder(transaction, layout)
            found = walk.versions(cursor, row + layout.group_id, start, decode, limit)
            self._check_age(transaction, layout)
        return found

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def _read_slice(self, layout: Layout, keys: Sequence[bytes]) -> list[Version | None]:
        with self._environment.read() as transaction, transaction.cursor(self._environment.databases[CELLS]) as cells:
            found = self._found(transaction, cells, layout, keys)
            self._check_age(transaction, layout)
        return found

    def _found(
        self,
        transaction: "lmdb.Transaction[bytes]",
        cursor: "lmdb.Cursor[bytes]",
        layout: Layout,
        keys: Sequence[bytes],
    ) -> list[Version | None]:
        """cursor: of `cells`."""
        if layout.keep is Keep.NEWEST:
            return _read_newest(cursor, layout, keys)
        opened = self._opener(transaction) if layout.large else None
        return _read_versioned(cursor, layout, keys, layout.group_id + self._inverted, opened)

    def _visible_from(self, layout: Layout) -> bytes:
        """What follows table id and key in the seek for the version that this snapshot sees."""
        return layout.group_id + (self._inverted if layout.keep is Keep.VERSIONED else UNVERSIONED)

    def _marks(self, transaction: "lmdb.Transaction[bytes]", tables: Sequence[str]) -> list[bytes]:
        get, meta = transaction.get, self._environment.databases[META]
        return [get(key, b"", meta) for key in self._catalog.mark_keys(tuple(tables))]

    def _check_age(self, transaction: "lmdb.Transaction[bytes]", layout: Layout) -> None:
        """After the read, in the same LMDB transaction: what was collected before it began may be missing in it."""
        if layout.keep is Keep.VERSIONED:
            self._retention.check(transaction, self._timestamp)

    def _decoder(self, transaction: "lmdb.Transaction[bytes]", layout: Layout) -> walk.Decode:
        if layout.keep is Keep.NEWEST:
            return lambda _, stored: Version(int.from_bytes(stored[:8], "big"), stored[8:] or None)
        if layout.large:
            opened = self._opener(transaction)
            return lambda at, stored: Version(timestamp_of(at), opened(stored))
        return lambda at, stored: Version(timestamp_of(at), stored or None)

    def _opener(self, transaction: "lmdb.Transaction[bytes]") -> _Opened:
        """For values of large groups."""
        get, values = transaction.get, self._environment.databases[VALUES]

        def opened(stored: bytes) -> bytes | None:
            if stored[:1] == APART:
                return get(stored[1:], None, values)
            return stored[1:] or None

        return opened


def too_new(at_least: int, newest: int) -> UnavailableError:
    """There is no snapshot yet at or above `at_least` (N1)."""
    return UnavailableError(f"the newest commit here is {newest}; {at_least} was asked for. Try again later")


def _read_versioned(
    cursor: "lmdb.Cursor[bytes]", layout: Layout, keys: Sequence[bytes], suffix: bytes, opened: _Opened | None
) -> list[Version | None]:
    found: list[Version | None] = []
    add, seek, item, unpack, new = found.append, cursor.set_range, cursor.item, TIMESTAMP.unpack, tuple.__new__
    table_id = layout.table_id
    for key in keys:
        wanted = table_id + key + suffix
        if seek(wanted):
            at, value = item()
            if at[:-8] == wanted[:-8]:
                timestamp = TIMESTAMP_MAX - unpack(at[-8:])[0]
                # as Version(timestamp, ...), in two thirds of the time
                add(new(Version, (timestamp, (opened(value) if opened else value) or None)))
                continue
        add(None)
    return found


def _read_newest(cursor: "lmdb.Cursor[bytes]", layout: Layout, keys: Sequence[bytes]) -> list[Version | None]:
    found: list[Version | None] = []
    add, get, unpack, new = found.append, cursor.get, TIMESTAMP.unpack_from, tuple.__new__
    table_id, suffix = layout.table_id, layout.group_id + UNVERSIONED
    for key in keys:
        stored = get(table_id + key + suffix)
        add(None if stored is None else new(Version, (unpack(stored)[0], stored[8:] or None)))
    return found
