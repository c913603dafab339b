"""What handlers and asynchronous fields hold: reads gathered over the batch at one snapshot, writes kept in a
transaction of their own."""

from collections.abc import Mapping, Sequence
from typing import Any

from argus.api import Row, RowRef
from argus.driver import Ask
from argus.fetch import row_dict
from proto.codec import decode_key, encode_key
from proto.errors import InvalidMessageError
from proto.flows.model import Flows, Table
from proto.flows.paths import nearest
from proto.record import Record
from proto.values import coerce, from_python, to_python
from repo.api import Reads, Version
from repo.keys import index_prefix
from repo.rows import GroupReader
from repo.system import collection_index

Readers = Mapping[tuple[str, str], GroupReader]


def row_key(row: RowRef) -> bytes:
    """The encoded key of a row's address."""
    return encode_key((row.source, *row.key))


class Context:
    """Implements HandlerContext. writer: the handler's name in the flows file; "" may not write (an asynchronous
    field).

    reads: every row that was read, present or not; writes: row -> column -> value (None: delete).
    """

    def __init__(self, flows: Flows, source: str, writer: str = "") -> None:
        self._flows, self._source, self._writer = flows, source, writer
        self.reads: set[RowRef] = set()
        self.writes: dict[RowRef, dict[str, Any] | None] = {}

    def row(self, table: str, *key: Any) -> RowRef:
        values = key[0] if len(key) == 1 and isinstance(key[0], tuple) else key
        known = self._flows.tables.get(table)
        if known is None:
            raise InvalidMessageError(f"no table {table!r}: {nearest(table, list(self._flows.tables))}")
        if len(values) != len(known.key):
            raise InvalidMessageError(f"the key of {table!r} is {known.key}, got {values}")
        typed = (
            coerce(known.columns[name].type, from_python(value)) for name, value in zip(known.key, values, strict=True)
        )
        return RowRef(table, self._source, tuple(typed))

    def read(self, *rows: RowRef) -> Ask:
        self.reads.update(rows)
        return Ask(rows=rows, single=len(rows) == 1)

    def collection(self, parent: RowRef, name: str) -> Ask:
        if name not in self._flows.tables[parent.table].collections:
            known = list(self._flows.tables[parent.table].collections)
            raise InvalidMessageError(f"table {parent.table!r} has no collection {name!r}: {nearest(name, known)}")
        return Ask(collection=(parent, name))

    def write(self, row: RowRef, values: Mapping[str, Any]) -> None:
        columns = self._flows.tables[row.table].columns
        for name, value in values.items():
            column = columns.get(name)
            if column is None:
                raise InvalidMessageError(f"table {row.table!r} has no column {name!r}: {nearest(name, list(columns))}")
            if column.writer != self._writer or not self._writer:
                owner = column.writer or "the source"
                raise InvalidMessageError(
                    f"column {row.table}.{name} is written by {owner}, not by {self._writer or 'a field'}"
                )
            self._pending(row)[name] = coerce(column.type, from_python(value))

    def delete(self, row: RowRef) -> None:
        self.writes[row] = None

    def _pending(self, row: RowRef) -> dict[str, Any]:
        pending = self.writes.get(row)
        if pending is None:
            pending = self.writes[row] = {}
        return pending


class RowStore:
    """Reads whole rows for contexts: one storage call a table and group for all that a round asks for."""

    def __init__(self, flows: Flows, readers: Readers) -> None:
        self._flows, self._readers = flows, readers

    def groups(self, table: str) -> tuple[str, ...]:
        """The groups that a row of `table` has."""
        return tuple(self._flows.tables[table].groups())

    def gather(self, snapshot: Reads, contexts: Sequence[Context], asked: Sequence[tuple[int, Ask]]) -> list[Any]:
        """The answers of one round. contexts: by the coroutine's index."""
        children = self._collections(snapshot, contexts, asked)
        wanted = {row for _, ask in asked for row in ask.rows} | {row for rows in children.values() for row in rows}
        found = self.rows(snapshot, wanted)
        answers: list[Any] = []
        for number, (index, ask) in enumerate(asked):
            own = contexts[index]
            rows = [_with_writes(found[row], row, own) for row in (children[number] if ask.collection else ask.rows)]
            if ask.collection is not None:
                answers.append([row for row in rows if row is not None])
            else:
                answers.append(rows[0] if ask.single else rows)
        return answers

    def rows(self, snapshot: Reads, wanted: set[RowRef]) -> dict[RowRef, Row | None]:
        """Rows by address; None where nothing is."""
        by_table: dict[str, list[RowRef]] = {}
        for row in wanted:
            by_table.setdefault(row.table, []).append(row)
        found: dict[RowRef, Row | None] = {}
        for name, rows in by_table.items():
            table = self._flows.tables[name]
            keys = [row_key(row) for row in rows]
            parts = [(self._readers[name, group], snapshot.read(name, group, keys)) for group in table.groups()]
            for at, row in enumerate(rows):
                found[row] = _row(table, row, [(reader, versions[at]) for reader, versions in parts])
        return found

    def _collections(
        self, snapshot: Reads, contexts: Sequence[Context], asked: Sequence[tuple[int, Ask]]
    ) -> dict[int, list[RowRef]]:
        children: dict[int, list[RowRef]] = {}
        for number, (index, ask) in enumerate(asked):
            if ask.collection is None:
                continue
            parent, name = ask.collection
            hop = self._flows.tables[parent.table].collections[name]
            (entries,) = snapshot.scan_prefixes(collection_index(hop), [index_prefix(row_key(parent))], hop.limit)
            children[number] = [row_of(hop.child, child) for _, child in entries]
            contexts[index].reads.update(children[number])
        return children


def row_of(table: str, key: bytes) -> RowRef:
    """The address of an encoded key."""
    source, *values = decode_key(key)
    return RowRef(table, source, tuple(values))


def _row(table: Table, ref: RowRef, parts: list[tuple[GroupReader, Version | None]]) -> Row | None:
    values: dict[str, Any] = {}
    there = False
    for reader, version in parts:
        record: Record | None = reader.record(version)
        names = reader.schema.names
        stored = None if record is None else record.values
        there = there or stored is not None
        kinds = [table.columns[name].type for name in names]
        values.update(row_dict(names, kinds, stored if stored is not None else [None] * len(names)))
    return Row(ref, values) if there else None


def _with_writes(row: Row | None, ref: RowRef, context: Context) -> Row | None:
    """A handler sees its own writes."""
    if ref not in context.writes:
        return row
    table = context._flows.tables[ref.table]
    values = dict(row) if row is not None else dict.fromkeys(table.columns)
    written = context.writes[ref]
    own = [name for name, column in table.columns.items() if column.writer == context._writer]
    for name in own if written is None else written:
        values[name] = None if written is None else to_python(table.columns[name].type, written[name])
    return Row(ref, values)
