"""A snapshot of the HBase engine: a timestamp, and reads through the ladder.

It holds nothing. After the last read of each call the gc watermark is looked at: whoever fell below it may have met a
gap, and gets TooOldError (F12).
"""

from collections.abc import Callable, Sequence
from typing import Self

from proto.codec import successor
from proto.errors import SettingsError
from repo.api import Keep, Version
from repo.hbase import partitions
from repo.hbase.catalog import Catalog, Layout
from repo.hbase.cells import Cells, Range, Row
from repo.hbase.gc_state import GcStateCell
from repo.hbase.history import history
from repo.hbase.ladder import NEWEST, Committed, ReadLadder, Seen, bound
from repo.hbase.prepared import ENTRY_PREFIX
from repo.hbase.scans import RangeScan

_KEYS_A_CALL = 1_000


class HbaseSnapshot:
    """See repo.api.Snapshot. Costs nothing to keep or to drop. newest: tells the newest snapshot there is."""

    def __init__(
        self,
        cells: Cells,
        ladder: ReadLadder,
        catalog: Catalog,
        gc: GcStateCell,
        timestamp: int,
        newest: Callable[[], int],
    ) -> None:
        self._cells, self._ladder, self._catalog, self._gc = cells, ladder, catalog, gc
        self._timestamp, self._newest = timestamp, newest

    @property
    def timestamp(self) -> int:
        return self._timestamp

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        layout = self._catalog.layout(table, group)
        distinct = list(dict.fromkeys(keys))
        found: dict[bytes, Committed] = {}
        for start in range(0, len(distinct), _KEYS_A_CALL):
            found.update(self._read(layout, distinct[start : start + _KEYS_A_CALL]))
        watermark = self._check(layout) if keys else 0
        versions = {key: _version(committed, watermark) for key, committed in found.items()}
        return [versions.get(key) for key in keys]

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        # Of all tables together: whatever is committed anywhere moves the newest snapshot. A mark of each table would
        # be a cell that every transaction writes.
        # With the present one, where there are groups that are read as of now, whatever the snapshot.
        now = self._newest() if any(map(self._has_newest, tables)) else 0
        return [b"%d/%d" % (self._timestamp, now) if self._timestamp or now else b""] * len(tables)

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        """As of the snapshot, as everything here."""
        layout = self._catalog.layout(table, "")
        if limit_each <= 0:
            return [[] for _ in prefixes]
        ranges = [
            Range(after + b"\0" if after and after >= prefix else prefix, successor(prefix)) for prefix in prefixes
        ]
        found = self._scan(layout).many(ranges, limit_each)
        self._check(layout)
        return [[(key, entry.value.removeprefix(ENTRY_PREFIX)) for key, entry in found[range]] for range in ranges]

    def scan(
        self, table: str, group: str, after: bytes = b"", before: bytes | None = None, limit: int = 1000
    ) -> list[tuple[bytes, Version]]:
        layout = self._catalog.layout(table, group)
        found = self._scan(layout).one(Range(after + b"\0" if after else b"", before), limit)
        self._check(layout)
        return [(key, Version(committed.commit_timestamp, committed.value)) for key, committed in found]

    def partitions(self, table: str, count: int) -> list[tuple[bytes, bytes | None]]:
        layouts = [self._catalog.layout(table, group) for group in self._catalog.groups(table)]
        return partitions.ranges(self._cells, layouts[0].table, [layout.column for layout in layouts], count)

    def history(self, table: str, group: str, key: bytes, limit: int = 100) -> list[Version]:
        layout = self._catalog.layout(table, group)
        if layout.keep is Keep.NEWEST:
            found = list(self._read(layout, [key]).values())[:limit]
        else:
            found = history(self._cells, self._ladder, layout, key, self._timestamp, limit)
        watermark = self._check(layout)
        # Of what lies below the watermark only the newest is sure to be there; further down there may be gaps (F12).
        kept = next((at for at, one in enumerate(found) if one.commit_timestamp <= watermark), len(found))
        found = found[: kept + 1]
        while found and not found[-1].value and found[-1].commit_timestamp <= watermark:
            found.pop()
        return [Version(committed.commit_timestamp, committed.value or None) for committed in found]

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def _sees(self, layout: Layout) -> int:
        return NEWEST if layout.keep is Keep.NEWEST else self._timestamp

    def _has_newest(self, table: str) -> bool:
        try:
            return any(self._catalog.layout(table, group).keep is Keep.NEWEST for group in self._catalog.groups(table))
        except SettingsError:
            return False  # nothing was ever written to what nobody has declared

    def _check(self, layout: Layout) -> int:
        """The gc watermark, after the last read."""
        return self._gc.read().watermark if layout.keep is Keep.NEWEST else self._gc.check(self._timestamp)

    def _read(self, layout: Layout, keys: Sequence[bytes]) -> dict[bytes, Committed]:
        return self._settled(layout, keys, self._ladder.read(layout.table, layout.column, keys, self._sees(layout)))

    def _settled(self, layout: Layout, keys: Sequence[bytes], seen: Seen) -> dict[bytes, Committed]:
        """A read of the newest can't be too old, so it is repeated: between two steps down the ladder what was passed
        over may have been committed, and what lies below it collected."""
        while layout.keep is Keep.NEWEST and seen.uncommitted:
            before = self._gc.read().watermark
            seen = self._ladder.read(layout.table, layout.column, keys, NEWEST)
            if self._gc.read().watermark == before:
                break
        return seen.visible

    def _scan(self, layout: Layout) -> RangeScan:
        snapshot = self._sees(layout)

        def visible(rows: dict[bytes, Row]) -> dict[bytes, Committed]:
            seen = self._ladder.climb(layout.table, layout.column, rows, snapshot)
            return self._settled(layout, list(rows), seen)

        return RangeScan(self._cells, layout, bound(snapshot), visible)


def _version(committed: Committed, watermark: int) -> Version | None:
    """A tombstone at or below the gc watermark is as good as collected: a reader can't tell it from nothing."""
    if committed.value:
        return Version(committed.commit_timestamp, committed.value)
    return None if committed.commit_timestamp <= watermark else Version(committed.commit_timestamp, None)
