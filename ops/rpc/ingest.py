"""The Ingest service: batches of rows, each answered once it is durable."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from gateway.feed import CheckedRow, Refused, RowCheck, feed_units
from ops.inputs.feeds import feed_source, feed_table
from ops.rpc.inlet import Delivery, Inlet
from ops.rpc.packages import grpc, ingest_pb2
from proto.errors import SettingsError
from proto.events import encode
from proto.flows.model import Flows, Table

ROWS_MAX = 10_000
"""Of one batch."""

_LOOK_S = 0.25
_AHEAD_OF_THE_CLOCK_MS = 86_400_000

_decode_json = msgspec.json.Decoder().decode

Offered = list[tuple[int, CheckedRow]]


class Ingest:
    """now_ms: wall clock. unit_rows_max: rows that are applied in one transaction."""

    def __init__(
        self, flows: Flows, sources: Sequence[str], inlet: Inlet, now_ms: Callable[[], float], unit_rows_max: int
    ) -> None:
        self._flows, self._sources, self._inlet = flows, list(sources), inlet
        self._now_ms, self._unit_rows_max = now_ms, unit_rows_max

    def write(self, batches: Iterator[Any], context: Any) -> Iterator[Any]:
        """The method. A batch that can't be understood ends the stream with INVALID_ARGUMENT."""
        for batch in batches:
            try:
                table, source = self._checked_head(batch)
            except SettingsError as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
            good, refusals = self._checked_rows(batch, table, source)
            if good and not self._durable(table, source, good, context):
                return
            yield ingest_pb2.Receipt(sequence=batch.sequence, taken=len(good), refusals=refusals)

    def _checked_head(self, batch: Any) -> tuple[Table, str]:
        table = feed_table(self._flows, batch.table)
        source = feed_source(table, self._sources, batch.source)
        known = [column.name for column in table.columns.values() if not column.writer]
        for name in batch.columns:
            if name not in known:
                raise SettingsError(f"table {table.name!r} has no column {name!r}; it has: {', '.join(known)}")
        if len(set(batch.columns)) < len(batch.columns):
            raise SettingsError(f"a column is there twice: {', '.join(batch.columns)}")
        if len(batch.rows) > ROWS_MAX:
            raise SettingsError(f"{len(batch.rows):,} rows in one batch; at most {ROWS_MAX:,}")
        return table, source

    def _checked_rows(self, batch: Any, table: Table, source: str) -> tuple[Offered, list[Any]]:
        check = RowCheck(source, table, {}, partial=batch.partial, base64=batch.base64)
        columns, now_ms = list(batch.columns), int(self._now_ms())
        good: Offered = []
        refusals: list[Any] = []
        for number, row in enumerate(batch.rows):
            found = _checked(check, columns, row, now_ms)
            if isinstance(found, Refused):
                refusals.append(ingest_pb2.Refusal(row=number, column=found.column, reason=found.reason))
            else:
                good.append((row.version or now_ms, found))
        return good, refusals

    def _durable(self, table: Table, source: str, good: Offered, context: Any) -> bool:
        """False when who sent it is gone."""
        units = feed_units(source, table.name, "fed", table.lane, good, self._unit_rows_max, self._now_ms())
        delivery = Delivery(table.lane, source, table.name, [encode(unit) for unit in units])
        while not self._inlet.offer(delivery, _LOOK_S):
            if not context.is_active():
                return False
        while not delivery.wait(_LOOK_S):
            if not context.is_active():
                return False
        if delivery.failure:
            context.abort(grpc.StatusCode.UNAVAILABLE, delivery.failure)
        return True


def _checked(check: RowCheck, columns: list[str], row: Any, now_ms: int) -> CheckedRow | Refused:
    if len(row.values) != len(columns):
        return Refused("", f"the row has {len(row.values)} values for {len(columns)} columns")
    if not 0 <= row.version <= now_ms + _AHEAD_OF_THE_CLOCK_MS:
        return Refused("", f"version {row.version} is no time in ms since 1970 up to now, nor a number below that")
    try:
        values = {name: _value(value) for name, value in zip(columns, row.values, strict=True)}
    except msgspec.DecodeError as error:
        return Refused("", f"a value is not JSON: {error}")
    return check.check_deleted(values) if row.deleted else check.check(values)


def _value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    return None if kind is None else _decode_json(value.json) if kind == "json" else getattr(value, kind)
