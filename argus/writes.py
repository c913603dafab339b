"""What handlers wrote, as transactions: records, notifications, acknowledgements."""

from collections.abc import Mapping, Sequence
from typing import Any

from argus.api import RowRef
from argus.calls import Run
from argus.context import row_key, whole
from argus.registry import Application
from argus.rows import Readers
from proto.events import NOTIFICATIONS, Notification, RowChange, lane_topic
from proto.events import encode as encode_event
from proto.flows.model import Flows
from proto.lane import Lane
from proto.record import Record, encode
from repo.api import Snapshot, Transaction, Version
from repo.rows import changed_record
from repo.system import ACK, ack_table


class Writer:
    """Makes one transaction of each run. Equal values write nothing; the acknowledgement is always written."""

    def __init__(self, application: Application, readers: Readers) -> None:
        self._flows: Flows = application.flows
        self._readers = readers
        self._labels = {name: f"{spec.name} v{spec.version}" for name, spec in application.handlers.items()}

    def transactions(self, snapshot: Snapshot, runs: Sequence[Run]) -> list[Transaction]:
        """One read for all rows of a table that a handler wrote, however many runs wrote them."""
        stored = self._stored(snapshot, runs)
        acknowledged = snapshot.timestamp.to_bytes(8, "big")
        transactions: list[Transaction] = []
        for run in runs:
            transaction = Transaction(snapshot.timestamp)
            changes: dict[Lane, list[RowChange]] = {}
            for row, values in run.context.writes.items():
                lane, change = self._write(transaction, run, row, values, stored[run.call.handler, row])
                if change is not None:
                    changes.setdefault(lane, []).append(change)
            _notify(transaction, run, changes)
            transaction.write(ack_table(run.call.handler), row_key(run.call.row), ACK, acknowledged)
            transactions.append(transaction)
        return transactions

    def _stored(self, snapshot: Snapshot, runs: Sequence[Run]) -> dict[tuple[str, RowRef], Version | None]:
        wanted: dict[tuple[str, str], dict[RowRef, None]] = {}
        for run in runs:
            for row in run.context.writes:
                wanted.setdefault((run.call.handler, row.table), {})[row] = None
        found: dict[tuple[str, RowRef], Version | None] = {}
        for (handler, table), rows in wanted.items():
            versions = snapshot.read(table, _group(handler), [row_key(row) for row in rows])
            found.update({(handler, row): version for row, version in zip(rows, versions, strict=True)})
        return found

    def _write(
        self,
        transaction: Transaction,
        run: Run,
        row: RowRef,
        written: Mapping[str, Any] | None,
        stored: Version | None,
    ) -> tuple[Lane, RowChange | None]:
        """Puts one row's record; returns what to tell about it, and in which lane."""
        handler, table, key = run.call.handler, self._flows.tables[row.table], row_key(row)
        reader = self._readers[row.table, _group(handler)]
        values = None if written is None else whole(table, row, written, handler)
        record = changed_record(reader, stored, values, self._labels[handler])
        if record is None:
            return Lane.LOW, None
        transaction.write(row.table, key, _group(handler), encode(record))
        names = _changed(reader.values(stored), record, reader.schema.names)
        if not names:
            return Lane.LOW, None
        cause_lane = Lane(run.pending.cause.lane)
        # never ahead of its cause: what a refresh changes stays in the Low lane
        lane = max(min(table.columns[name].lane for name in names), cause_lane)
        appears = table.key_group() == _group(handler) and (record.values is None or reader.values(stored) is None)
        return lane, RowChange(table.name, key, () if appears else names)


def _group(handler: str) -> str:
    return f"@{handler}"


def _changed(before: Sequence[Any] | None, after: Record, names: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns that differ; a record that is not there counts as all NULL."""
    nulls = [None] * len(names)
    pairs = zip(names, before or nulls, after.values or nulls, strict=True)
    return tuple(name for name, old, new in pairs if old != new)


def _notify(transaction: Transaction, run: Run, changes: Mapping[Lane, list[RowChange]]) -> None:
    cause = run.pending.cause
    for lane, rows in changes.items():
        notification = Notification(lane, rows, cause.commit_ms, cause.capture_ms, cause.apply_ms)
        transaction.notify(lane_topic(NOTIFICATIONS, lane), 0, encode_event(notification))
