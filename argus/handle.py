"""Runs handlers: a batch in lock-step at one snapshot, each with a transaction and an acknowledgement of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from argus.api import Change, RowRef
from argus.context import Context, Readers, RowStore, row_key
from argus.driver import drive
from argus.registry import Application
from proto.errors import AdsIndexError, UnavailableError
from proto.events import NOTIFICATIONS, Cause, Notification, RowChange, lane_topic
from proto.events import encode as encode_event
from proto.flows.model import Table
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.dead_letters import DeadLetterEntry, DeadLetters
from proto.record import Record, encode
from repo.api import Repo, Snapshot, Transaction
from repo.rows import changed_record
from repo.system import ACK, ack_table

STAGE = "handle"
CONFLICT_ATTEMPTS_MAX = 8


@dataclass(frozen=True, slots=True)
class Call:
    """One handler to be run for one row. Calls for the same row and handler are one: changes coalesce."""

    handler: str
    row: RowRef


@dataclass(slots=True)
class _Run:
    call: Call
    change: Change
    cause: Cause
    context: Context


class Handlers:
    """Runs the handlers of an application."""

    def __init__(
        self,
        repo: Repo,
        application: Application,
        readers: Readers,
        rows: RowStore,
        dead_letters: DeadLetters,
        clock: Clock,
    ) -> None:
        self._repo, self._application, self._readers, self._rows = repo, application, readers, rows
        self._dead_letters, self._clock = dead_letters, clock
        self.runs = 0

    def run(self, calls: Mapping[Call, tuple[frozenset[str], Cause]]) -> set[Call]:
        """Runs what is not acknowledged yet; returns the calls that must be offered again."""
        again = set(calls)
        for _ in range(CONFLICT_ATTEMPTS_MAX):
            if not again:
                break
            again = self._attempt({call: calls[call] for call in again})
        return again

    def _attempt(self, calls: Mapping[Call, tuple[frozenset[str], Cause]]) -> set[Call]:
        transactions: list[Transaction] = []
        committing: list[_Run] = []
        with self._repo.snapshot(at_least=max(cause.change for _, cause in calls.values())) as snapshot:
            runs = self._unacknowledged(snapshot, calls)
            contexts = [run.context for run in runs]
            coroutines = [
                self._application.handlers[run.call.handler].function(run.context, run.change) for run in runs
            ]
            self.runs += len(runs)
            ended = drive(coroutines, lambda asked: self._rows.gather(snapshot, contexts, asked))  # type: ignore[arg-type]
            for run, finished in zip(runs, ended, strict=True):
                if isinstance(finished.error, UnavailableError):
                    raise finished.error
                if finished.error is not None:
                    self._fail(run, finished.error)
                    continue
                transactions.append(self._transaction(snapshot, run))
                committing.append(run)
        outcomes = self._repo.commit(transactions)
        return {run.call for run, outcome in zip(committing, outcomes, strict=True) if not outcome.committed}

    def _unacknowledged(self, snapshot: Snapshot, calls: Mapping[Call, tuple[frozenset[str], Cause]]) -> list[_Run]:
        runs: list[_Run] = []
        for call, (columns, cause) in calls.items():
            (stored,) = snapshot.read(ack_table(call.handler), ACK, [row_key(call.row)])
            if stored is not None and stored.value is not None and int.from_bytes(stored.value, "big") >= cause.change:
                continue
            context = Context(self._application.flows, call.row.source, call.handler)
            runs.append(_Run(call, Change(call.row, columns), cause, context))
        return runs

    def _transaction(self, snapshot: Snapshot, run: _Run) -> Transaction:
        """What the handler wrote as records and notifications, and its acknowledgement; equal values write nothing."""
        transaction = Transaction(snapshot.timestamp)
        writer = run.call.handler
        label = f"{self._application.handlers[writer].name} v{self._application.handlers[writer].version}"
        for row, values in run.context.writes.items():
            table = self._application.flows.tables[row.table]
            group, key = f"@{writer}", row_key(row)
            reader = self._readers[row.table, group]
            (stored,) = snapshot.read(row.table, group, [key])
            record = changed_record(reader, stored, values, label)
            if record is not None:
                transaction.write(row.table, key, group, encode(record))
                self._notify(transaction, run, table, key, _changed(reader.record(stored), record, reader.schema.names))
        if self._dead_letters.count():
            self._dead_letters.clear(STAGE, _subject(run.call))
        acknowledged = snapshot.timestamp.to_bytes(8, "big")
        transaction.write(ack_table(writer), row_key(run.call.row), ACK, acknowledged)
        return transaction

    def _notify(self, transaction: Transaction, run: _Run, table: Table, key: bytes, columns: tuple[str, ...]) -> None:
        lane = min((table.columns[name].lane for name in columns), default=Lane(run.cause.lane))
        lane = max(lane, Lane(run.cause.lane))  # never ahead of its cause: a refresh stays in the Low lane
        cause = run.cause
        notification = Notification(
            lane, [RowChange(table.name, key, columns)], cause.commit_ms, cause.capture_ms, cause.apply_ms
        )
        transaction.notify(lane_topic(NOTIFICATIONS, lane), 0, encode_event(notification))

    def _fail(self, run: _Run, error: Exception) -> None:
        """A handler that raises ends with a dead letter; the change stays unacknowledged, so that a replay runs it."""
        now_ms = self._clock.now_ms()
        notification = Notification(
            Lane.LOW, [RowChange(run.call.row.table, row_key(run.call.row), tuple(sorted(run.change.columns)))]
        )
        self._dead_letters.put(
            DeadLetterEntry(
                stage=STAGE,
                subject=_subject(run.call),
                reason=str(error) if isinstance(error, AdsIndexError) else f"{type(error).__name__}: {error}",
                table=run.call.row.table,
                key=row_key(run.call.row),
                first_ms=now_ms,
                last_ms=now_ms,
                message=run.cause.change.to_bytes(8, "big") + encode_event(notification),
                topic=lane_topic(NOTIFICATIONS, Lane.LOW),
                lane=Lane.LOW,
            )
        )


def _subject(call: Call) -> str:
    name = call.handler.rpartition(":")[2]
    return f"{name} {call.row.table}/{','.join(map(str, call.row.key))}"


def _changed(before: Record | None, after: Record, names: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns that differ; empty: the row is new or gone."""
    if before is None or before.values is None or after.values is None:
        return ()
    return tuple(name for name, old, new in zip(names, before.values, after.values, strict=True) if old != new)
