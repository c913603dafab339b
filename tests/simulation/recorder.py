"""A Repo port that writes down what goes through it, for the checkers. Actors, and Argus, use it as they use any."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Self

from repo.api import Cell, Keep, Outcome, Repo, Snapshot, TableSpec, Transaction, Version
from tests.simulation.checkers.history import Attempt, Begin, History, Listing, Read, attempts_of
from tests.simulation.scheduler import Scheduler, Task

Place = tuple[str, bytes, bytes]
"""Table, row and column in HBase."""


class Recorder:
    """history: of a run. place_of: where the engine keeps a cell."""

    def __init__(self, scheduler: Scheduler, place_of: Callable[[Cell], Place]) -> None:
        self.history = History()
        self._scheduler = scheduler
        self._place_of = place_of
        self._active: dict[Task, dict[Place, Attempt]] = {}
        self._internal: dict[int, Attempt] = {}

    def begins(self, attempts: Sequence[Attempt]) -> None:
        """The running task commits these, until `ends`."""
        self.history.attempts += attempts
        self._active[self._scheduler.current] = {
            self._place_of(cell): attempt for attempt in attempts for cell in attempt.puts()
        }

    def ends(self) -> None:
        self._active.pop(self._scheduler.current, None)

    def puts(self, table: str, id: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        """The running task puts cells under an id."""
        active = self._active.get(self._scheduler.current, {})
        for row, cells in rows.items():
            for column in cells:
                attempt = active.get((table, row, column))
                if attempt is not None:
                    attempt.ids.add(id)

    def decides(self, id: int, commit_timestamp: int) -> None:
        """A row of the commit table was put."""
        self.history.commits.setdefault(id, set()).add(commit_timestamp)


class RecordedRepo:
    """repo.api.Repo of one client. known: the highest commit timestamp that it was told."""

    def __init__(self, repo: Repo, recorder: Recorder, actor: str) -> None:
        self._repo, self._recorder, self._actor = repo, recorder, actor
        self._newest: set[tuple[str, str]] = set()
        self.known = 0

    def declare(self, tables: Sequence[TableSpec]) -> None:
        for table in tables:
            self._newest |= {(table.name, group) for group, keep in table.groups.items() if keep is Keep.NEWEST}
        self._repo.declare(tables)

    def snapshot(self, at_least: int = 0, still: bool = False) -> "RecordedSnapshot":
        known = max(self.known, at_least)
        snapshot = self._recorded(self._repo.snapshot(at_least, still))
        self._recorder.history.begins.append(Begin(self._actor, known, snapshot.timestamp))
        return snapshot

    def snapshot_at(self, timestamp: int) -> "RecordedSnapshot":
        return self._recorded(self._repo.snapshot_at(timestamp))

    def lease(self, snapshot: Snapshot, seconds: float) -> AbstractContextManager[None]:
        inner = snapshot.inner if isinstance(snapshot, RecordedSnapshot) else snapshot
        return self._repo.lease(inner, seconds)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        attempts = attempts_of(self._actor, transactions)
        self._recorder.begins(attempts)
        try:
            outcomes = self._repo.commit(transactions)
        finally:
            self._recorder.ends()
        for attempt, outcome in zip(attempts, outcomes, strict=True):
            attempt.told = outcome
            if outcome.committed:
                self.known = max(self.known, outcome.commit_timestamp)
        return outcomes

    def last_timestamp(self) -> int:
        return self._repo.last_timestamp()

    def collect_garbage(self, before: int, limit: int = 10_000) -> int:
        return self._repo.collect_garbage(before, limit)

    def tables(self) -> Iterator[TableSpec]:
        return self._repo.tables()

    def _recorded(self, snapshot: Snapshot) -> "RecordedSnapshot":
        return RecordedSnapshot(snapshot, self._recorder.history, self._actor, self._newest)


class RecordedSnapshot:
    """repo.api.Snapshot. inner: the engine's own."""

    def __init__(self, inner: Snapshot, history: History, actor: str, newest: set[tuple[str, str]]) -> None:
        self.inner = inner
        self._history, self._actor, self._newest = history, actor, newest

    @property
    def timestamp(self) -> int:
        return self.inner.timestamp

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        found = self.inner.read(table, group, keys)
        newest = (table, group) in self._newest
        for key, version in zip(keys, found, strict=True):
            self._history.reads.append(Read(self._actor, self.timestamp, Cell(table, key, group), version, newest))
        return found

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        return self.inner.change_marks(tables)

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        found = self.inner.scan_prefixes(table, prefixes, limit_each, after)
        for prefix, entries in zip(prefixes, found, strict=True):
            before = entries[-1][0] + b"\0" if len(entries) == limit_each else None
            listed = tuple((key, Version(0, value)) for key, value in entries)
            self._history.listings.append(
                Listing(self._actor, self.timestamp, table, "", after, before, prefix, listed)
            )
        return found

    def scan(
        self, table: str, group: str, after: bytes = b"", before: bytes | None = None, limit: int = 1000
    ) -> list[tuple[bytes, Version]]:
        found = self.inner.scan(table, group, after, before, limit)
        if (table, group) not in self._newest:
            end = found[-1][0] + b"\0" if len(found) == limit else before
            self._history.listings.append(
                Listing(self._actor, self.timestamp, table, group, after, end, b"", tuple(found))
            )
        return found

    def partitions(self, table: str, count: int) -> list[tuple[bytes, bytes | None]]:
        return self.inner.partitions(table, count)

    def history(self, table: str, group: str, key: bytes, limit: int = 100) -> list[Version]:
        found = self.inner.history(table, group, key, limit)
        cell = Cell(table, key, group)
        for newer, version in zip([self.timestamp + 1, *(one.commit_timestamp for one in found)], found, strict=False):
            self._history.reads.append(Read(self._actor, newer - 1, cell, version))
        return found

    def close(self) -> None:
        self.inner.close()

    def __enter__(self) -> Self:
        self.inner.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.inner.__exit__(*exc)
