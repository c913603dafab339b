"""A Repo in memory that keeps to repo/api.py: for tests that need many Repos, or one whose contents they look into."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Self

from proto.errors import SettingsError, TooOldError, UnavailableError
from repo.api import Cell, Keep, Outcome, OutcomeKind, Snapshot, TableSpec, Transaction, Version


class MemoryRepo:
    """One thread, one process. commits, reads: counts of calls; messages: what `notify` appended, by (topic,
    partition)."""

    def __init__(self) -> None:
        self.commits = 0
        self.reads = 0
        self.messages: dict[tuple[str, int], list[bytes]] = {}
        self.marks: dict[str, int] = {}
        self._specs: dict[str, TableSpec] = {}
        self._cells: dict[Cell, list[Version]] = {}  # oldest first
        self._rows: dict[tuple[str, str], set[bytes]] = {}
        self._indexes: dict[str, dict[bytes, bytes]] = {}
        self._last = 0
        self._watermark = 0

    def declare(self, tables: Sequence[TableSpec]) -> None:
        for spec in tables:
            known = self._specs.get(spec.name)
            for group, keep in spec.groups.items():
                if known is not None and known.groups.get(group, keep) is not keep:
                    raise SettingsError(f"{spec.name}.{group} is stored as {known.groups[group].value}")
            groups = {**(known.groups if known else {}), **spec.groups}
            self._specs[spec.name] = TableSpec(spec.name, groups, spec.large)

    def snapshot(self, at_least: int = 0, still: bool = False) -> "MemorySnapshot":
        if at_least > self._last:
            raise UnavailableError(f"the newest commit is {self._last}, below {at_least}")
        return MemorySnapshot(self, self._last)

    def snapshot_at(self, timestamp: int) -> "MemorySnapshot":
        if timestamp < self._watermark:
            raise TooOldError(f"{timestamp} is below the gc watermark {self._watermark}")
        return MemorySnapshot(self, min(timestamp, self._last))

    def lease(self, snapshot: Snapshot, seconds: float) -> AbstractContextManager[None]:
        return nullcontext()  # nothing is collected behind the back of a test

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        self.commits += 1
        return [self._commit(transaction) for transaction in transactions]

    def settle(self, transaction: Transaction, unknown: Outcome) -> Outcome:
        return unknown  # none is

    def last_timestamp(self) -> int:
        return self._last

    def collect_garbage(self, before: int, limit: int = 10_000) -> int:
        self._watermark = max(self._watermark, min(before, self._last))
        removed = 0
        for cell, versions in list(self._cells.items()):
            keep_from = bisect_right([version.commit_timestamp for version in versions], before) - 1
            drop = min(max(keep_from, 0), limit - removed)
            del versions[:drop]
            removed += drop
            if len(versions) == 1 and versions[0].value is None and versions[0].commit_timestamp <= before:
                del self._cells[cell]
                self._rows[cell.table, cell.group].discard(cell.key)
        return removed

    def tables(self) -> Iterator[TableSpec]:
        return iter(self._specs.values())

    def index(self, table: str) -> dict[bytes, bytes]:
        """All entries of an index table."""
        return dict(self._indexes.get(table, {}))

    def _commit(self, transaction: Transaction) -> Outcome:
        if transaction.snapshot_timestamp < self._watermark:
            return Outcome(OutcomeKind.TOO_OLD)
        for cell in (*transaction.writes, *transaction.checks):
            self._keep(cell)
            versions = self._cells.get(cell)
            if versions and versions[-1].commit_timestamp > transaction.snapshot_timestamp:
                return Outcome(OutcomeKind.CONFLICT, versions[-1].commit_timestamp, cell)
        self._last += 1
        written: dict[Cell, bytes | None] = {**transaction.writes, **transaction.companions}
        touched = {cell.table for cell in written} | {table for table, _ in transaction.index_writes}
        self.marks.update(dict.fromkeys(touched, self._last))
        for cell, value in written.items():
            assert value != b"", f"an empty value in {cell}"
            version = Version(self._last, value)
            if self._keep(cell) is Keep.NEWEST:
                self._cells[cell] = [version]
            else:
                self._cells.setdefault(cell, []).append(version)
            self._rows.setdefault((cell.table, cell.group), set()).add(cell.key)
        for (table, key), entry in transaction.index_writes.items():
            assert self._specs[table].groups == {"": Keep.INDEX}, f"{table} is not an index"
            if entry is None:
                self._indexes.setdefault(table, {}).pop(key, None)
            else:
                self._indexes.setdefault(table, {})[key] = entry
        for topic, partition, payload in transaction.messages:
            self.messages.setdefault((topic, partition), []).append(self._last.to_bytes(8, "big") + payload)
        return Outcome(OutcomeKind.COMMITTED, self._last)

    def _keep(self, cell: Cell) -> Keep:
        spec = self._specs.get(cell.table)
        if spec is None or spec.groups.get(cell.group, Keep.INDEX) is Keep.INDEX:
            raise SettingsError(f"{cell.table}.{cell.group} was never declared")
        return spec.groups[cell.group]


class MemorySnapshot:
    """See repo.api.Snapshot."""

    def __init__(self, repo: MemoryRepo, timestamp: int) -> None:
        self._repo = repo
        self.timestamp = timestamp

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        self._repo.reads += 1
        self._check()
        return [self._visible(Cell(table, key, group)) for key in keys]

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        return [b"%d" % self._repo.marks[table] if table in self._repo.marks else b"" for table in tables]

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        entries = sorted(self._repo.index(table).items())
        return [
            [(key, value) for key, value in entries if key.startswith(prefix) and key > after][:limit_each]
            for prefix in prefixes
        ]

    def scan(
        self, table: str, group: str, after: bytes = b"", before: bytes | None = None, limit: int = 1000
    ) -> list[tuple[bytes, Version]]:
        self._check()
        found = []
        for key in sorted(self._repo._rows.get((table, group), ())):
            if key > after and (before is None or key < before) and len(found) < limit:
                version = self._visible(Cell(table, key, group))
                if version is not None and version.value is not None:
                    found.append((key, version))
        return found

    def partitions(self, table: str, count: int) -> list[tuple[bytes, bytes | None]]:
        keys = sorted(set().union(*(rows for (name, _), rows in self._repo._rows.items() if name == table)))
        step = max(1, -(-len(keys) // count))
        # an encoded key ends in a zero byte, so nothing lies between it and itself without that byte
        starts = [b"", *(keys[at][:-1] for at in range(step, len(keys), step))]
        return list(zip(starts, [*starts[1:], None], strict=True))

    def history(self, table: str, group: str, key: bytes, limit: int = 100) -> list[Version]:
        self._check()
        cell = Cell(table, key, group)
        newest = self._repo._keep(cell) is Keep.NEWEST
        versions = reversed(self._repo._cells.get(cell, []))
        return [version for version in versions if newest or version.commit_timestamp <= self.timestamp][:limit]

    def close(self) -> None:
        """Nothing is held."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _visible(self, cell: Cell) -> Version | None:
        newest = self._repo._keep(cell) is Keep.NEWEST
        for version in reversed(self._repo._cells.get(cell, [])):
            if newest or version.commit_timestamp <= self.timestamp:
                return version
        return None

    def _check(self) -> None:
        if self.timestamp < self._repo._watermark:
            raise TooOldError(f"the snapshot {self.timestamp} is below the gc watermark {self._repo._watermark}")
