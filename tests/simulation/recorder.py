"""A Repo port that writes down what goes through it, for the checkers. Actors, and Argus, use it as they use any."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Self

from proto.errors import UnavailableError
from repo.api import Cell, Keep, Outcome, OutcomeKind, Snapshot, TableSpec, Transaction, Version
from repo.hbase.names import TableNames, column_of
from repo.hbase.prepared import ENTRY_PREFIX
from repo.hbase.repo import HbaseRepo
from tests.simulation.checkers.history import Attempt, Begin, History, Listing, Mark, Read, attempts_of
from tests.simulation.scheduler import Scheduler, Task

Place = tuple[str, bytes]
"""Table and column in HBase."""
NOTHING_HAPPENED = Outcome(OutcomeKind.TOO_OLD)
"""What a client is told by an error of `commit`: it may try again."""


class Recorder:
    """history: of a run. It sees the Repo port from above, and from below what is put: so it knows ids.

    newest: (table, group) of those that keep the newest version only. declared: tables of which the store knows.
    collected: whether anybody has ever collected garbage. watermark: up to where.
    """

    def __init__(self, scheduler: Scheduler, tables: Sequence[TableSpec]) -> None:
        self.history = History()
        self.one_oracle = True
        self.newest_told = 0
        self.collected = False
        self.watermark = 0
        self._scheduler = scheduler
        self._names = TableNames()
        self.newest: set[tuple[str, str]] = set()
        self.declared: set[str] = set()
        self._groups: dict[Place, tuple[str, str]] = {}
        self._active: dict[Task, dict[Cell, list[tuple[bytes | None, Attempt]]]] = {}
        self._internal: dict[int, Attempt] = {}
        self.declare(tables)

    def declare(self, tables: Sequence[TableSpec]) -> None:
        """Tables whose cells it is to recognise."""
        for spec in tables:
            for group, keep in spec.groups.items():
                if keep is Keep.NEWEST:
                    self.newest.add((spec.name, group))
                self._groups[self._names.data(spec.name), column_of(group)] = spec.name, group

    def begins(self, attempts: Sequence[Attempt]) -> None:
        """The running task commits these, until `ends`."""
        self.history.attempts += attempts
        self.history.calls.append(attempts)
        active = self._active[self._scheduler.current] = {}
        for attempt in attempts:
            for cell, value in attempt.puts().items():
                active.setdefault(cell, []).append((value, attempt))

    def ends(self) -> None:
        self._active.pop(self._scheduler.current, None)

    def puts(self, table: str, id: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        """The running task puts cells under an id: those of its attempts, or some of the engine's own."""
        active = self._active.get(self._scheduler.current, {})
        for row, columns in rows.items():
            for column, value in columns.items():
                place = self._groups.get((table, column))
                if place is not None:
                    cell = Cell(place[0], row, place[1])
                    known = active.get(cell, [])
                    plain = value if cell.group else value.removeprefix(ENTRY_PREFIX)
                    same = known if len(known) == 1 else [one for one in known if (one[0] or b"") == plain]
                    attempt = same[0][1] if same else self._of_the_engine(id)
                    attempt.ids.add(id)
                    if attempt.internal:
                        attempt.writes[cell] = value or None

    def stored(self, table: str, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        """Something has landed. If it is in the commit table, it is what everybody will see."""
        if table == self._names.commit_table:
            for row, columns in rows.items():
                if b"F:C" in columns:
                    id, commit = committed(row, columns[b"F:C"])
                    self.history.commits.setdefault(id, set()).add(commit)

    def cells(self) -> dict[tuple[str, str], list[bytes]]:
        """(table, group) -> keys, of all that anybody wrote."""
        written = {cell for attempt in self.history.attempts for cell in attempt.puts()}
        found: dict[tuple[str, str], list[bytes]] = {}
        for table, key, group in sorted(written):
            found.setdefault((table, group), []).append(key)
        return found

    def commit_timestamps(self) -> list[int]:
        return sorted({commit for commits in self.history.commits.values() for commit in commits})

    def ids(self) -> list[int]:
        """Of all attempts."""
        return sorted({id for attempt in self.history.attempts for id in attempt.ids})

    def _of_the_engine(self, id: int) -> Attempt:
        attempt = self._internal.get(id)
        if attempt is None:
            attempt = self._internal[id] = Attempt(f"engine's {id}", 0, {}, internal=True)
            self.history.attempts.append(attempt)
        return attempt


def committed(row: bytes, value: bytes) -> tuple[int, int]:
    """(id, commit timestamp) of a row of Omid's commit table. Apart from the engine's own, for it is judged by this."""
    id = int.from_bytes(row[1:], "big")
    return id, id + sum((byte & 0x7F) << 7 * place for place, byte in enumerate(value))


class RecordedRepo:
    """repo.api.Repo of one client. known: the highest snapshot and commit timestamp that it was told. before_commit:
    called then."""

    def __init__(self, repo: HbaseRepo, recorder: Recorder, actor: str) -> None:
        self._repo, self._recorder, self._actor = repo, recorder, actor
        self._unknown: dict[int, Attempt] = {}  # by identity of the transaction
        self.known = 0
        self.before_commit: Callable[[], None] = lambda: None

    @property
    def history(self) -> History:
        """Of the run, for those who read past this port."""
        return self._recorder.history

    def declare(self, tables: Sequence[TableSpec]) -> None:
        """Once a run is enough: it is many calls, and everybody would find the same."""
        fresh = [table for table in tables if table.name not in self._recorder.declared]
        if fresh:
            self._repo.declare(fresh)
            self._recorder.declared.update(table.name for table in fresh)

    def snapshot(self, at_least: int = 0, still: bool = False) -> "RecordedSnapshot":
        newest = self._recorder.newest_told if self._recorder.one_oracle else 0
        known = max(self.known, at_least, newest)
        snapshot = self._recorded(self._repo.snapshot(at_least, still))
        if newest == 0 or self._recorder.one_oracle:
            self._recorder.history.begins.append(Begin(self._actor, known, snapshot.timestamp))
        self.known = max(self.known, snapshot.timestamp)
        return snapshot

    def snapshot_at(self, timestamp: int) -> "RecordedSnapshot":
        return self._recorded(self._repo.snapshot_at(timestamp))

    def lease(self, snapshot: Snapshot, seconds: float) -> AbstractContextManager[None]:
        inner = snapshot.inner if isinstance(snapshot, RecordedSnapshot) else snapshot
        return self._repo.lease(inner, seconds)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        self.before_commit()
        attempts = attempts_of(self._actor, transactions)
        self._recorder.begins(attempts)
        try:
            outcomes = self._repo.commit(transactions)
        except UnavailableError:
            for attempt in attempts:
                attempt.told = NOTHING_HAPPENED
            raise
        finally:
            self._recorder.ends()
        for transaction, attempt, outcome in zip(transactions, attempts, outcomes, strict=True):
            self._tell(attempt, outcome)
            if outcome.kind is OutcomeKind.UNKNOWN:
                self._unknown[id(transaction)] = attempt
        return outcomes

    def settle(self, transaction: Transaction, unknown: Outcome) -> Outcome:
        """Of an outcome that was unknown."""
        outcome = self._repo.settle(transaction, unknown)
        self._tell(self._unknown[id(transaction)], outcome)
        return outcome

    def commit_timestamps(self, transaction: Transaction) -> list[int]:
        """Of one whose outcome was unknown, as the commit table had it."""
        return self.history.commit_timestamps(self._unknown[id(transaction)])

    def last_timestamp(self) -> int:
        return self._repo.last_timestamp()

    def collect_garbage(self, before: int, limit: int = 10_000) -> int:
        self._recorder.collected = True
        return self._repo.collect_garbage(before, limit)

    def tables(self) -> Iterator[TableSpec]:
        return self._repo.tables()

    def _tell(self, attempt: Attempt, outcome: Outcome) -> None:
        if attempt.told is None or attempt.told.kind is OutcomeKind.UNKNOWN:  # what was said first is what was said
            attempt.told = outcome
        if outcome.committed:
            self.known = max(self.known, outcome.commit_timestamp)
            self._recorder.newest_told = max(self._recorder.newest_told, self.known)

    def _recorded(self, snapshot: Snapshot) -> "RecordedSnapshot":
        return RecordedSnapshot(snapshot, self._recorder, self._actor, lambda: self.known)


class RecordedSnapshot:
    """repo.api.Snapshot. inner: the engine's own. known: as RecordedRepo's."""

    def __init__(self, inner: Snapshot, recorder: Recorder, actor: str, known: Callable[[], int]) -> None:
        self.inner = inner
        self._recorder, self._actor, self._known = recorder, actor, known
        self._history, self._newest = recorder.history, recorder.newest

    @property
    def timestamp(self) -> int:
        return self.inner.timestamp

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        watermark = self._recorder.watermark
        found = self.inner.read(table, group, keys)
        newest = (table, group) in self._newest
        for key, version in zip(keys, found, strict=True):
            cell = Cell(table, key, group)
            self._history.reads.append(Read(self._actor, self.timestamp, cell, version, newest, watermark))
        return found

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        upto = max(self.timestamp, self._known())
        found = self.inner.change_marks(tables)
        since = max([self.timestamp, *self._recorder.commit_timestamps()[-1:]])
        for table, mark in zip(tables, found, strict=True):
            changes = any(table == newest for newest, _ in self._newest)
            span = (since, upto) if changes else (self.timestamp, self.timestamp)
            self._history.marks.append(Mark(self._actor, table, mark, *span))
        return found

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        found = self.inner.scan_prefixes(table, prefixes, limit_each, after)
        for prefix, entries in zip(prefixes, found, strict=True):
            before = entries[-1][0] + b"\0" if len(entries) == limit_each else None
            listed = tuple((key, Version(0, value)) for key, value in entries)
            self._history.listings.append(
                Listing(self._actor, self.timestamp, table, "", after, before, prefix, listed, limit_each)
            )
        return found

    def scan(
        self, table: str, group: str, after: bytes = b"", before: bytes | None = None, limit: int = 1000
    ) -> list[tuple[bytes, Version]]:
        found = self.inner.scan(table, group, after, before, limit)
        if (table, group) in self._newest:
            seen = dict(found)
            keys = [key for key in self._recorder.cells().get((table, group), ()) if len(found) < limit or key in seen]
            for key in keys:
                cell = Cell(table, key, group)
                self._history.reads.append(Read(self._actor, self.timestamp, cell, seen.get(key), newest=True))
        else:
            end = found[-1][0] + b"\0" if len(found) == limit else before
            self._history.listings.append(
                Listing(self._actor, self.timestamp, table, group, after, end, b"", tuple(found), limit)
            )
        return found

    def partitions(self, table: str, count: int) -> list[tuple[bytes, bytes | None]]:
        found = self.inner.partitions(table, count)
        groups = [group for name, group in self._recorder.cells() if name == table]
        # What lies on a bound would be in none of them.
        for bound in (before for _, before in found if before is not None):
            self._history.reads += [
                Read(self._actor, self.timestamp, Cell(table, bound, group), None) for group in groups
            ]
        return found

    def history(self, table: str, group: str, key: bytes, limit: int = 100) -> list[Version]:
        watermark = self._recorder.watermark
        found = self.inner.history(table, group, key, limit)
        cell = Cell(table, key, group)
        newer_ones = [self.timestamp + 1, *(one.commit_timestamp for one in found)]
        for newer, version in zip(newer_ones, found or [None], strict=False):
            self._history.reads.append(Read(self._actor, newer - 1, cell, version, watermark=watermark))
        if len(found) < limit and not self._recorder.collected:
            self._history.reads.append(Read(self._actor, newer_ones[-1] - 1, cell, None))
        return found

    def close(self) -> None:
        self.inner.close()

    def __enter__(self) -> Self:
        self.inner.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.inner.__exit__(*exc)
