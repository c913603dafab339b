"""A snapshot of the LMDB engine: a timestamp, and reads that seek to it.

It holds no LMDB transaction between two calls; a call with much to do uses several, so that none is open for long.
"""

from collections.abc import Callable, Sequence
from typing import Self

import lmdb

from repo.api import Keep, Version
from repo.lmdb import walk
from repo.lmdb.catalog import Catalog
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.layout import APART, CELLS, INDEX, NEWEST, TIMESTAMP_MAX, VALUES, Layout, inverted
from repo.lmdb.retention import Retention

_KEYS_A_SLICE = 20_000


class LmdbSnapshot:
    """See repo.api.Snapshot. Costs nothing to keep or to drop."""

    def __init__(self, environment: LmdbEnvironment, catalog: Catalog, retention: Retention, timestamp: int) -> None:
        self._environment, self._catalog, self._retention = environment, catalog, retention
        self._timestamp = timestamp

    @property
    def timestamp(self) -> int:
        return self._timestamp

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        layout = self._catalog.layout(table, group)
        if len(keys) <= _KEYS_A_SLICE:
            return self._read_slice(layout, keys)
        found: list[Version | None] = []
        for start in range(0, len(keys), _KEYS_A_SLICE):
            found += self._read_slice(layout, keys[start : start + _KEYS_A_SLICE])
        return found

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        table_id = self._catalog.layout(table, "").table_id
        environment = self._environment
        with environment.read() as transaction, transaction.cursor(environment.database(INDEX)) as cursor:
            return [walk.entries(cursor, table_id, prefix, limit_each, after) for prefix in prefixes]

    def scan(
        self, table: str, group: str, after: bytes = b"", before: bytes | None = None, limit: int = 1000
    ) -> list[tuple[bytes, Version]]:
        layout = self._catalog.layout(table, group)
        rows: list[tuple[bytes, Version]] = []
        place: walk.Place | None = walk.start_of(layout, after, before)
        while place is not None and len(rows) < limit:
            with self._environment.read() as transaction:
                place = self._scan_slice(transaction, layout, place, limit, rows)
                self._retention.check(transaction, self._timestamp)
        return rows

    def partitions(self, table: str, count: int) -> list[tuple[bytes, bytes | None]]:
        table_id = self._catalog.table_id(table)
        sample = walk.Sample(count)
        for name in (CELLS, NEWEST):
            place: bytes | None = table_id
            while place is not None:
                environment = self._environment
                with environment.read() as transaction, transaction.cursor(environment.database(name)) as cursor:
                    place = sample.add_slice(cursor, table_id, place, key_end=-9 if name == CELLS else -1)
        return sample.ranges()

    def history(self, table: str, group: str, key: bytes, limit: int = 100) -> list[Version]:
        layout = self._catalog.layout(table, group)
        if layout.keep is not Keep.VERSIONED:
            return [version for version in self.read(table, group, [key]) if version is not None][:limit]
        environment = self._environment
        with environment.read() as transaction, transaction.cursor(environment.database(CELLS)) as cursor:
            chain = layout.table_id + key + layout.group_id
            found = walk.versions(cursor, chain, inverted(self._timestamp), self._opener(transaction, layout), limit)
            self._retention.check(transaction, self._timestamp)
        return found

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def _read_slice(self, layout: Layout, keys: Sequence[bytes]) -> list[Version | None]:
        environment = self._environment
        with environment.read() as transaction:
            if layout.keep is Keep.NEWEST:
                with transaction.cursor(environment.database(NEWEST)) as cursor:
                    return _read_newest(cursor, layout, keys)
            with transaction.cursor(environment.database(CELLS)) as cursor:
                found = _read_versioned(cursor, layout, keys, inverted(self._timestamp))
            self._retention.check(transaction, self._timestamp)
            if layout.large:
                opened = self._opener(transaction, layout)
                return [version and Version(version[0], opened(version[1])) for version in found]
        return found

    def _scan_slice(
        self,
        transaction: "lmdb.Transaction[bytes]",
        layout: Layout,
        place: walk.Place,
        limit: int,
        rows: list[tuple[bytes, Version]],
    ) -> walk.Place | None:
        opened = self._opener(transaction, layout)
        if layout.keep is Keep.NEWEST:
            with transaction.cursor(self._environment.database(NEWEST)) as cursor:
                return walk.newest_rows(cursor, layout, place, limit, rows)
        with transaction.cursor(self._environment.database(CELLS)) as cursor:
            return walk.versioned_rows(cursor, layout, place, inverted(self._timestamp), opened, limit, rows)

    def _opener(
        self, transaction: "lmdb.Transaction[bytes]", layout: Layout
    ) -> "Callable[[bytes | None], bytes | None]":
        """What turns the stored value of a cell into the value that was written."""
        if not layout.large:
            return _same
        values = self._environment.database(VALUES)

        def opened(stored: bytes | None) -> bytes | None:
            if not stored:
                return None
            return transaction.get(stored[1:], db=values) if stored[:1] == APART else stored[1:]

        return opened


def _same(stored: bytes | None) -> bytes | None:
    return stored or None


def _read_versioned(
    cursor: "lmdb.Cursor[bytes]", layout: Layout, keys: Sequence[bytes], inverted_snapshot: bytes
) -> list[Version | None]:
    found: list[Version | None] = []
    add, seek, item, invert = found.append, cursor.set_range, cursor.item, int.from_bytes
    table_id, suffix = layout.table_id, layout.group_id + inverted_snapshot
    for key in keys:
        wanted = table_id + key + suffix
        if seek(wanted):
            at, value = item()
            if at[:-8] == wanted[:-8]:
                add(Version(TIMESTAMP_MAX - invert(at[-8:], "big"), value or None))
                continue
        add(None)
    return found


def _read_newest(cursor: "lmdb.Cursor[bytes]", layout: Layout, keys: Sequence[bytes]) -> list[Version | None]:
    found: list[Version | None] = []
    add, get, read_int = found.append, cursor.get, int.from_bytes
    table_id, group_id = layout.table_id, layout.group_id
    for key in keys:
        stored = get(table_id + key + group_id)
        add(None if stored is None else Version(read_int(stored[:8], "big"), stored[8:] or None))
    return found
