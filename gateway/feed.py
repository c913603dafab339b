"""Rows of a feed as they come in, from files or by RPC: checked one by one, and put into source units.

Nothing that the updater would refuse gets into the log: who sends a bad row is told at once, with column and reason.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from proto.codec import encode_key
from proto.errors import InvalidMessageError, ValueTypeError
from proto.events import UPDATES, TableRows, Unit, UnitKind, lane_topic
from proto.flows.model import Column, Table
from proto.flows.paths import nearest
from proto.lane import Lane
from proto.ports.log import Log
from proto.values import coerce

_encode_json = msgspec.json.Encoder().encode


class Refused(NamedTuple):
    """Why a row can't be taken. column "": no single column is to blame."""

    column: str
    reason: str


class CheckedRow(NamedTuple):
    """columns: those of the table that it brings, in the table's order; values: aligned with them, None: the row is
    deleted; key: encoded; key_values: in the order of the table's key."""

    columns: tuple[str, ...]
    values: tuple[Any, ...] | None
    key: bytes
    key_values: tuple[Any, ...]


class RowCheck:
    """For the rows of one feed. renamed: their column -> the table's, "" to leave it out; partial: what a row does not
    name stays as it is; base64: bytes come as text."""

    def __init__(
        self, source: str, table: Table, renamed: Mapping[str, str], *, partial: bool = False, base64: bool = False
    ) -> None:
        self._source, self._table, self._renamed = source, table, renamed
        self._partial, self._base64 = partial, base64
        self._columns = {column.name: column for column in table.columns.values() if not column.writer}

    def check(self, row: Mapping[str, Any]) -> CheckedRow | Refused:
        """A row to be stored."""
        known, renamed = self._columns, self._renamed
        found: dict[str, Any] = {}
        for name, value in row.items():
            column = known.get(renamed.get(name, name))
            if column is not None:
                try:
                    found[column.name] = self._stored(column, value)
                except InvalidMessageError as error:
                    return Refused(column.name, _told(column, error))
            elif renamed.get(name) != "":
                return Refused(name, f"table {self._table.name!r} has no such column; {nearest(name, list(known))}")
        if len(found) < len(known):
            for name in known:
                if name not in found and (name in self._table.key or not self._partial):
                    return Refused(name, "the row does not have this column")
        columns = tuple([name for name in known if name in found])
        return self._keyed(columns, tuple([found[name] for name in columns]), found)

    def check_deleted(self, key: Mapping[str, Any]) -> CheckedRow | Refused:
        """A row that is gone, by its key columns."""
        found: dict[str, Any] = {}
        for name in self._table.key:
            if name not in key:
                return Refused(name, "the key of a deleted row does not have this column")
            try:
                found[name] = self._stored(self._columns[name], key[name])
            except InvalidMessageError as error:
                return Refused(name, _told(self._columns[name], error))
        return self._keyed(self._table.key, None, found)

    def _keyed(
        self, columns: tuple[str, ...], values: tuple[Any, ...] | None, found: Mapping[str, Any]
    ) -> CheckedRow | Refused:
        key = tuple([found[name] for name in self._table.key])
        if None in key:
            return Refused(self._table.key[key.index(None)], "a key column is NULL")
        try:
            return CheckedRow(columns, values, encode_key((self._source, *key)), key)
        except InvalidMessageError as error:
            return Refused(self._table.key[0], str(error))

    def _stored(self, column: Column, value: Any) -> Any:
        """A form that stays the same however often it is coerced. Raises ValueTypeError."""
        if value is None:
            return None
        if column.type == "json":
            return _encode_json(coerce("json", value)).decode()
        if isinstance(value, list | dict):
            raise ValueTypeError(f"a {'list' if isinstance(value, list) else 'object'} does not fit {column.type!r}")
        if column.type == "bytes" and self._base64 and not isinstance(value, bytes):
            return _from_base64(value)
        return coerce(column.type, value)


def feed_units(
    source: str, table: str, kind: UnitKind, lane: Lane, rows: Iterable[tuple[int, CheckedRow]], rows_max: int,
    now_ms: float, job: str = "", row: int = 0,
) -> Iterator[Unit]:  # fmt: skip
    """rows: (version, row), in order. A unit holds rows of one version and with the same columns, `rows_max` at most.

    row: of a backfill, how many rows it has sent before.
    """
    for (version, columns, deleted), run in groupby(rows, lambda one: (one[0], one[1].columns, one[1].values is None)):
        waiting = [checked for _, checked in run]
        for begin in range(0, len(waiting), rows_max):
            part = waiting[begin : begin + rows_max]
            found = TableRows(table, columns, [one.values for one in part if one.values is not None])
            if deleted:
                found.deleted = [one.key_values for one in part]
            yield Unit(source, kind, 1, version, version, int(lane), [found], capture_ms=now_ms, job=job, row=row)
            row += len(part)


def append_units(log: Log, lane: Lane, source: str, table: str, messages: Sequence[bytes]) -> None:
    """Encoded units, into the feed's own partition of the lane; durable with the group around it, or when it
    returns."""
    if messages:
        topic = lane_topic(UPDATES, lane)
        log.append(topic, log.partition_of(topic, f"feed:{source}:{table}"), messages)


def _from_base64(value: Any) -> bytes:
    if isinstance(value, str):
        try:
            return b64decode(value, validate=True)
        except (Base64Error, ValueError):
            pass
    raise ValueTypeError(f"{str(value)[:60]!r} is not base64")


def _told(column: Column, error: InvalidMessageError) -> str:
    return f"the value (not shown: the column is sensitive) is no {column.type!r}" if column.sensitive else str(error)
