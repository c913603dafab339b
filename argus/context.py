"""What handlers and asynchronous fields hold: reads that the driver gathers, writes that wait."""

from collections.abc import Mapping
from typing import Any

from argus.api import Row, RowRef
from argus.driver import Ask
from proto.codec import decode_key, encode_key
from proto.errors import InvalidMessageError, ValueTypeError
from proto.flows.model import Column, Flows, Table
from proto.flows.paths import nearest
from proto.values import coerce, from_python, to_python


def row_key(row: RowRef) -> bytes:
    """The encoded key of a row's address."""
    return encode_key((row.source, *row.key))


class Context:
    """Implements HandlerContext. writer: the handler's name in the flows file; "" may not write (an asynchronous
    field).

    reads        every row that was read, present or not
    versions     the same, as far as it was answered: group -> version (argus.lineage)
    collections  every collection that was read: (parent, name)
    writes       row -> column -> stored value (None: delete)
    """

    def __init__(self, flows: Flows, source: str, writer: str = "") -> None:
        self._flows, self._source, self._writer = flows, source, writer
        self.reads: set[RowRef] = set()
        self.versions: dict[RowRef, Mapping[str, int]] = {}
        self.collections: set[tuple[RowRef, str]] = set()
        self.writes: dict[RowRef, dict[str, Any] | None] = {}

    def row(self, table: str, *key: Any) -> RowRef:
        values = key[0] if len(key) == 1 and isinstance(key[0], tuple) else key
        known = self._table(table)
        if len(values) != len(known.key):
            raise InvalidMessageError(f"the key of {table!r} is {known.key}, got {values}")
        typed = (
            coerce(known.columns[name].type, from_python(value)) for name, value in zip(known.key, values, strict=True)
        )
        return RowRef(table, self._source, tuple(typed))

    def read(self, *rows: RowRef) -> Ask:
        for row in rows:
            self._check(row)
        self.reads.update(rows)
        return Ask(rows=rows, single=len(rows) == 1)

    def collection(self, parent: RowRef, name: str) -> Ask:
        self._check(parent)
        known = self._flows.tables[parent.table].collections
        if name not in known:
            hint = nearest(name, list(known)) if known else "it has none"
            raise InvalidMessageError(f"table {parent.table!r} has no collection {name!r}: {hint}")
        self.collections.add((parent, name))
        return Ask(collection=(parent, name))

    def write(self, row: RowRef, values: Mapping[str, Any]) -> None:
        self._check(row)
        columns = self._flows.tables[row.table].columns
        stored: dict[str, Any] = {}
        for name, value in values.items():
            column = columns.get(name)
            if column is None:
                raise InvalidMessageError(f"table {row.table!r} has no column {name!r}: {nearest(name, list(columns))}")
            if column.writer != self._writer or not self._writer:
                owner = column.writer or "the source"
                raise InvalidMessageError(
                    f"column {row.table}.{name} is written by {owner}, not by {self._writer or 'a field'}"
                )
            stored[name] = self._fitting(row, column, value)
        pending = self.writes.get(row)
        self.writes[row] = stored if pending is None else {**pending, **stored}

    def delete(self, row: RowRef) -> None:
        self._check(row)
        if not self._writer or not self.own_columns(row.table):
            raise InvalidMessageError(f"{self._writer or 'a field'} has no column in table {row.table!r} to delete")
        self.writes[row] = None

    def own_columns(self, table: str) -> list[str]:
        """Columns of a table that this writer writes."""
        columns = self._flows.tables[table].columns.values()
        return [column.name for column in columns if column.writer == self._writer]

    def seen(self, row: RowRef, stored: Row | None) -> Row | None:
        """A row as the writer sees it: with its own writes."""
        if row not in self.writes:
            return stored
        written = self.writes[row]
        columns = self._flows.tables[row.table].columns
        values = dict(stored) if stored is not None else dict.fromkeys(columns)
        if written is None:
            values.update(dict.fromkeys(self.own_columns(row.table)))
            gone = all(value is None for name, value in values.items() if name not in self._flows.tables[row.table].key)
            return None if gone else Row(row, values)
        for name, value in whole(self._flows.tables[row.table], row, written, self._writer).items():
            values[name] = to_python(columns[name].type, value)
        return Row(row, values)

    def _table(self, name: str) -> Table:
        known = self._flows.tables.get(name)
        if known is None:
            raise InvalidMessageError(f"there is no table {name!r}: {nearest(name, list(self._flows.tables))}")
        return known

    def _check(self, row: RowRef) -> None:
        """What is wrong with an address is told to whoever wrote it, and not to the rest of the batch."""
        if not isinstance(row, RowRef):
            raise InvalidMessageError(f"{row!r} is not the address of a row; ctx.row(table, key) makes one")
        if len(self._table(row.table).key) != len(row.key):
            raise InvalidMessageError(f"the key of {row.table!r} is {self._table(row.table).key}, got {row.key}")
        row_key(row)

    def _fitting(self, row: RowRef, column: Column, value: Any) -> Any:
        try:
            stored = coerce(column.type, from_python(value))
        except ValueTypeError as error:
            raise ValueTypeError(f"column {row.table}.{column.name}: {error}") from None
        key = self._flows.tables[row.table].key
        if column.name in key and stored != row.key[key.index(column.name)]:
            what = f"column {row.table}.{column.name} is part of the key {row.key}"
            raise InvalidMessageError(f"{what}, and can't be {value!r}")
        return stored


def whole(table: Table, row: RowRef, written: Mapping[str, Any], writer: str) -> dict[str, Any]:
    """What a handler wrote, with the key columns of a table that it owns."""
    own = {name: value for name, value in zip(table.key, row.key, strict=True) if table.columns[name].writer == writer}
    return {**own, **written}


def row_of(table: str, key: bytes) -> RowRef:
    """The address of an encoded key."""
    source, *values = decode_key(key)
    return RowRef(table, source, tuple(values))
