"""The cell port in memory: HBase as Thrift1 shows it, traps included, for tests and the simulator.

Each trap was seen on the real server; tests/contract/cells runs on both. Time bounds are exclusive. A put with an older
timestamp takes its place, one with the same replaces. A delete removes all versions up to its timestamp, and goes on
masking what is put there until a compaction. check_and_put writes at max(now, timestamp of what it replaces), and takes
an empty value for none. Of several rows with one bad one, the others are stored.

A write lands when its method runs. Who wants it late or twice keeps the call and makes it later, or again.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from proto.errors import AdsIndexError, SettingsError
from proto.ports.clock import Clock
from repo.hbase.cells import Family, Range, Row, Stored
from repo.hbase.family_settings import check_settings, settings_of
from repo.hbase.limits import check_bounds, check_delete, check_put, check_rows


class MemoryCells:
    """repo.hbase.cells.Cells and Tables; deterministic, for one thread. clock: the region server's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tables: dict[str, _Table] = {}

    def require(self, tables: Mapping[str, Mapping[str, Family]]) -> None:
        for name, families in tables.items():
            stored = self._tables.setdefault(name, _Table(name, dict(families))).families
            for family, wanted in families.items():
                check_settings(name, family, settings_of(stored[family]) if family in stored else None, wanted)

    def put(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        check_put(table, timestamp, rows)
        stored = self._table(table)
        for row in stored.good(rows):
            for column, value in rows[row].items():
                stored.cell(row, column).put(Stored(timestamp, value))
        stored.refuse_bad(rows)

    def put_mark(self, table: str, timestamp: int, row: bytes, family: str) -> None:
        """Omid's client's for a deleted family: a cell with an empty qualifier, which no put of ours may have."""
        self._table(table).cell(row, family.encode() + b":").put(Stored(timestamp, b""))

    def put_soon(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        check_put(table, timestamp, rows)
        with suppress(AdsIndexError):
            self.put(table, timestamp, rows)

    def get(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes], before: int | None = None
    ) -> dict[bytes, Row]:
        check_rows(table, rows)
        stored = self._table(table)
        stored.check(columns)
        found = ((row, stored.read(row, columns, before)) for row in rows)
        return {row: cells for row, cells in found if cells}

    def versions(self, table: str, row: bytes, column: bytes, before: int | None, limit: int) -> list[Stored]:
        check_rows(table, [row])
        stored = self._table(table)
        stored.check([column])
        cell = stored.rows.get(row, {}).get(column)
        kept = stored.families[_family(column)].versions
        return cell.newest(before, min(limit, kept)) if cell is not None else []

    def scan(
        self, table: str, start: bytes, stop: bytes | None, columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[tuple[bytes, Row]]:
        check_bounds(table, start, stop)
        stored = self._table(table)
        stored.check(columns)
        found: list[tuple[bytes, Row]] = []
        for at in range(bisect_left(stored.order, start), len(stored.order)):
            row = stored.order[at]
            if len(found) >= limit or (stop is not None and row >= stop):
                break
            if cells := stored.read(row, columns, before):
                found.append((row, cells))
        return found

    def scans(
        self, table: str, ranges: Sequence[Range], columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[list[tuple[bytes, Row]]]:
        return [self.scan(table, start, stop, columns, before, limit) for start, stop in ranges]

    def delete(self, table: str, timestamp: int, rows: Mapping[bytes, Sequence[bytes]]) -> None:
        check_delete(table, timestamp, rows)
        stored = self._table(table)
        for row in stored.good(rows):
            for column in rows[row]:
                stored.cell(row, column).delete(timestamp)
        stored.refuse_bad(rows)

    def check_and_put(self, table: str, row: bytes, column: bytes, expected: bytes | None, value: bytes) -> bool:
        now = int(self._clock.now_ms())
        check_put(table, now, {row: {column: value}})
        stored = self._table(table)
        stored.check([column])
        cell = stored.cell(row, column)
        newest = next(iter(cell.newest(None, 1)), None)
        if (newest.value if newest is not None else b"") != (expected or b""):
            return False
        cell.put(Stored(now if newest is None else max(now, newest.timestamp), value))
        return True

    def regions(self, table: str) -> list[tuple[bytes, bytes | None]]:
        splits = self._table(table).splits
        return list(zip([b"", *splits], [*splits, None], strict=True))

    def split(self, table: str, at: bytes) -> None:
        """Cuts the region that holds row `at` in two."""
        splits = self._table(table).splits
        if at and at not in splits:
            insort(splits, at)

    def compact(self, flushed: bool = False) -> None:
        """A major compaction of all tables: surplus versions go, and deletes mask no more.

        flushed: what was put under a delete was in files already, and goes with it. Else it was still in the region
        server's memory, and comes to light now: both happen.
        """
        for stored in self._tables.values():
            for row in list(stored.order):
                for column, cell in list(stored.rows[row].items()):
                    cell.compact(stored.families[_family(column)].versions, flushed)
                    if not cell.versions:
                        del stored.rows[row][column]
                if not stored.rows[row]:
                    del stored.rows[row]
            stored.order = sorted(stored.rows)

    def _table(self, name: str) -> "_Table":
        stored = self._tables.get(name)
        if stored is None:
            raise SettingsError(f"table {name} is not there; require() makes it")
        return stored


@dataclass(slots=True)
class _Cell:
    """versions: oldest first. Those up to deleted_to were put after the delete, and are masked."""

    versions: list[Stored] = field(default_factory=list)
    deleted_to: int = 0

    def put(self, version: Stored) -> None:
        at = bisect_left(self.versions, Stored(version.timestamp, b""))
        same = at < len(self.versions) and self.versions[at].timestamp == version.timestamp
        self.versions[at : at + same] = [version]

    def delete(self, timestamp: int) -> None:
        self.versions = [version for version in self.versions if version.timestamp > timestamp]
        self.deleted_to = max(self.deleted_to, timestamp)

    def compact(self, keep: int, flushed: bool) -> None:
        first = bisect_left(self.versions, Stored(self.deleted_to + 1, b"")) if flushed else 0
        self.versions = self.versions[max(first, len(self.versions) - keep) :]
        self.deleted_to = 0

    def newest(self, before: int | None, limit: int) -> list[Stored]:
        end = len(self.versions) if before is None else bisect_left(self.versions, Stored(before, b""))
        return [version for version in self.versions[max(end - limit, 0) : end][::-1] if self._visible(version)]

    def latest(self, before: int | None) -> Stored | None:
        end = len(self.versions) if before is None else bisect_left(self.versions, Stored(before, b""))
        return self.versions[end - 1] if end and self._visible(self.versions[end - 1]) else None

    def _visible(self, version: Stored) -> bool:
        return version.timestamp > self.deleted_to


@dataclass(slots=True)
class _Table:
    """rows: row -> column -> cell; order: their keys, sorted; splits: where regions begin, but the first."""

    name: str
    families: dict[str, Family]
    rows: dict[bytes, dict[bytes, _Cell]] = field(default_factory=dict)
    order: list[bytes] = field(default_factory=list)
    splits: list[bytes] = field(default_factory=list)

    def cell(self, row: bytes, column: bytes) -> _Cell:
        """That cell, made if absent."""
        cells = self.rows.get(row)
        if cells is None:
            cells = self.rows[row] = {}
            insort(self.order, row)
        return cells.setdefault(column, _Cell())

    def read(self, row: bytes, columns: Sequence[bytes], before: int | None) -> Row:
        """Of each column, or each column of a family, the newest version below the bound."""
        cells = self.rows.get(row)
        if cells is None:
            return {}
        found: Row = {}
        for asked in columns:
            prefix = asked + b":"
            for column in [asked] if b":" in asked else [name for name in cells if name.startswith(prefix)]:
                cell = cells.get(column)
                version = cell.latest(before) if cell is not None else None
                if version is not None:
                    found[column] = version
        return found

    def check(self, columns: Iterable[bytes]) -> None:
        """Raises SettingsError for a column of no family."""
        for column in columns:
            if _family(column) not in self.families:
                raise SettingsError(f"table {self.name} has no family {_family(column)}; require() tells what it needs")

    def good(self, rows: Mapping[bytes, Iterable[bytes]]) -> Iterator[bytes]:
        """The rows whose families are all there."""
        return (row for row, columns in rows.items() if all(_family(column) in self.families for column in columns))

    def refuse_bad(self, rows: Mapping[bytes, Iterable[bytes]]) -> None:
        """Raises SettingsError for the others."""
        for columns in rows.values():
            self.check(columns)


def _family(column: bytes) -> str:
    return column.partition(b":")[0].decode(errors="replace")
