"""The read ladder: of each cell the newest version whose commit timestamp is at or below the snapshot.

Omid's, in batches. For each version found, until it is known when it was committed:
  1. its shadow cell, from the same row read, paired by equal version
  2. the cache of commit timestamps
  3. the commit table
  4. the shadow cell again: between 1 and 3 it may have been written, and the commit-table row swept (F7)
  5. not committed, as far as anybody may see
Not visible: the same with the next older version. And the same for Omid's mark of a deleted family, where a row has
one: what it hides is as if the mark's transaction had deleted it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from repo.hbase.cells import Cells, Row, Stored
from repo.hbase.commit_cache import CommitCache
from repo.hbase.commit_table import CommitTableReader
from repo.hbase.healing import Healing
from repo.hbase.names import DELETED
from repo.hbase.shadow_cells import decode_shadow, shadow_column

NEWEST = 2**63 - 1
"""The snapshot that sees everything committed."""


class Committed(NamedTuple):
    """A version, and when it was committed."""

    id: int
    commit_timestamp: int
    value: bytes


class Seen(NamedTuple):
    """visible: by row, those that have a visible version. uncommitted: rows of which a version was passed over because
    nobody has committed it yet."""

    visible: dict[bytes, Committed]
    uncommitted: set[bytes]


def bound(snapshot: int) -> int | None:
    """What a read asks for: versions below it (the cell port's bounds are exclusive)."""
    return None if snapshot >= NEWEST else snapshot + 1


@lru_cache(maxsize=4096)
def columns_of(column: bytes) -> tuple[bytes, ...]:
    """What is read of a row: the cell, Omid's mark for its family, and the shadow cells of both."""
    return column, shadow_column(column), DELETED, shadow_column(DELETED)


class ReadLadder:
    """Safe for threads as far as `cells` is. healing: told of what only cache or commit table knew."""

    def __init__(self, cells: Cells, commit_table: CommitTableReader, cache: CommitCache, healing: Healing) -> None:
        self._cells, self._commit_table, self._cache, self._healing = cells, commit_table, cache, healing

    def read(self, table: str, column: bytes, keys: Sequence[bytes], snapshot: int) -> Seen:
        """From the row read on. keys: without repetition."""
        rows = self._cells.get(table, keys, columns_of(column), bound(snapshot))
        return self.climb(table, column, rows, snapshot)

    def climb(self, table: str, column: bytes, rows: Mapping[bytes, Row], snapshot: int) -> Seen:
        """rows: as read below `bound(snapshot)`, with `columns_of(column)`."""
        seen = self._seen(table, column, rows, snapshot)
        if marked := {key: row for key, row in rows.items() if DELETED in row}:
            marks = self._seen(table, DELETED, marked, snapshot)
            seen.uncommitted.update(marks.uncommitted)
            for key, mark in marks.visible.items():
                if key in seen.visible and seen.visible[key].id <= mark.commit_timestamp:
                    seen.visible[key] = mark  # its value is empty: a tombstone
        self._healing.flush_when_many()
        return seen

    def commit_timestamps(self, table: str, column: bytes, unpaired: Mapping[int, list[bytes]]) -> dict[int, int]:
        """Rungs 2 to 4. unpaired: id -> rows with a version of that id and no shadow cell. Ids that are not committed
        are left out."""
        cached = {id: self._cache.get(id) for id in unpaired}
        found = {id: timestamp for id, timestamp in cached.items() if timestamp is not None}
        unknown = [id for id in unpaired if id not in found]
        for id, timestamp in self._commit_table.look_up(unknown).items():
            found[id] = timestamp
            self._cache.add(id, timestamp)
        for id, timestamp in found.items():  # the cached too: before the sweep every row must have been healed (F8)
            self._healing.add(table, column, unpaired[id], id, timestamp)
        for id in unknown:
            if id not in found and (again := self._shadow_again(table, column, unpaired[id], id)) is not None:
                found[id] = again
        return found

    def _seen(self, table: str, column: bytes, rows: Mapping[bytes, Row], snapshot: int) -> Seen:
        seen = Seen({}, set())
        while rows:
            rows = self.next_older(table, column, self._pass_over(table, column, rows, snapshot, seen))
        return seen

    def _pass_over(
        self, table: str, column: bytes, rows: Mapping[bytes, Row], snapshot: int, seen: Seen
    ) -> dict[int, list[bytes]]:
        """Adds what is visible to `seen`. Returns, by version, the rows whose version is not."""
        versions = {key: row[column] for key, row in rows.items() if column in row}
        paired = {key: shadow_of(rows[key], column) for key in versions}
        found = self.commit_timestamps(table, column, by_id(versions, [key for key in paired if paired[key] is None]))
        older: dict[int, list[bytes]] = {}
        for key, (id, value) in versions.items():
            timestamp = paired[key]
            if timestamp is None:
                timestamp = found.get(id)
                if timestamp is None:
                    seen.uncommitted.add(key)
            if timestamp is not None and timestamp <= snapshot:
                seen.visible[key] = Committed(id, timestamp, value)
            else:
                older.setdefault(id, []).append(key)
        return older

    def next_older(self, table: str, column: bytes, passed: Mapping[int, list[bytes]]) -> dict[bytes, Row]:
        """The versions below those passed over: a call for each version, as a call has one bound."""
        columns, rows = (column, shadow_column(column)), dict[bytes, Row]()
        for id, keys in passed.items():
            rows.update(self._cells.get(table, keys, columns, before=id))
        return rows

    def _shadow_again(self, table: str, column: bytes, keys: Sequence[bytes], id: int) -> int | None:
        shadow = shadow_column(column)
        for row in self._cells.get(table, keys, (shadow,), before=id + 1).values():
            if row[shadow].timestamp == id:
                return decode_shadow(row[shadow].value)
        return None


def shadow_of(row: Row, column: bytes) -> int | None:
    """Rung 1: the commit timestamp of the row's version of `column`, when the row has the shadow cell of that very
    version."""
    shadow = row.get(shadow_column(column))
    return decode_shadow(shadow.value) if shadow is not None and shadow.timestamp == row[column].timestamp else None


def by_id(versions: Mapping[bytes, Stored], keys: Iterable[bytes]) -> dict[int, list[bytes]]:
    """Rows that have versions, by the id of these."""
    found: dict[int, list[bytes]] = {}
    for key in keys:
        found.setdefault(versions[key].timestamp, []).append(key)
    return found
