"""Rows in a dict, read through the Snapshot port: what the test kit builds documents from."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import count
from typing import Any

from argus.parent_keys import parent_suffix, source_part
from argus.rows import readers_of
from proto.codec import decode_key, descending, encode_scalar
from proto.flows.model import Collection, Flows, Reference
from proto.record import Record, Schema, encode
from repo.api import Version
from repo.keys import index_entry
from repo.system import collection_index, reference_index

Row = dict[str, Any]


_marks = count(1)


class MemoryRows:
    """Tables of a flows file in memory: (table, key) -> column -> stored value."""

    def __init__(self, flows: Flows) -> None:
        self._flows = flows
        self._rows: dict[str, dict[bytes, Row]] = {name: {} for name in flows.tables}
        self.readers = readers_of(flows, _NoOldSchemas())

    def put(self, table: str, key: bytes, row: Row) -> None:
        self._rows[table][key] = row

    def row(self, table: str, key: bytes) -> Row | None:
        """A copy; None: it is not there."""
        found = self._rows[table].get(key)
        return None if found is None else dict(found)

    def keys(self, table: str) -> list[tuple[Any, ...]]:
        """Key values of its rows, without the source, in key order. A row that only a handler knows is none."""
        first = self._flows.tables[table].key[0]
        return [decode_key(key)[1:] for key, row in sorted(self._rows[table].items()) if row[first] is not None]

    def remove(self, table: str, key: bytes) -> None:
        self._rows[table].pop(key, None)

    def merge(self, table: str, key: bytes, values: Mapping[str, Any] | None, writer: str) -> None:
        """Applies what a handler wrote. None: its own columns become NULL; a row of its own table is gone then."""
        columns = self._flows.tables[table].columns
        row = self._rows[table].setdefault(key, dict.fromkeys(columns))
        own = {name: None for name, column in columns.items() if column.writer == writer}
        row.update(own if values is None else values)
        if not self._flows.tables[table].from_outside and all(value is None for value in row.values()):
            self.remove(table, key)

    def snapshot(self) -> "MemorySnapshot":
        """The rows as they are now."""
        return MemorySnapshot(self._flows, self._rows)


class MemorySnapshot:
    """repo.api.Reads over them."""

    def __init__(self, flows: Flows, rows: Mapping[str, Mapping[bytes, Row]]) -> None:
        self._flows, self._rows = flows, rows

    def read(self, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        known = self._flows.tables[table]
        names = known.groups()[group]
        found = [self._rows[table].get(key) for key in keys]
        if group == known.key_group():  # a handler may have derived something for a row that its source doesn't have
            found = [None if row is None or row[known.key[0]] is None else row for row in found]
        return [None if row is None else _version(names, row) for row in found]

    def change_marks(self, tables: Sequence[str]) -> list[bytes]:
        return [b"%d" % next(_marks) for _ in tables]  # nothing read here is worth keeping

    def scan_prefixes(
        self, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        entries = sorted(self._entries(table))
        return [
            [(key, child) for key, child in entries if key.startswith(prefix) and key > after][:limit_each]
            for prefix in prefixes
        ]

    def _entries(self, index: str) -> list[tuple[bytes, bytes]]:
        for table in self._flows.tables.values():
            for reference in table.references.values():
                if reference_index(reference) == index:
                    return self._of(reference, reference.table, reference.parent)
            for collection in table.collections.values():
                if collection_index(collection) == index:
                    return self._of(collection, collection.child, collection.table)
        return []

    def _of(self, hop: Reference | Collection, child: str, parent: str) -> list[tuple[bytes, bytes]]:
        table = self._flows.tables[child]
        suffix = parent_suffix(table, hop.columns, self._flows.tables[parent])
        entries = []
        for key, row in self._rows[child].items():
            values = [row[name] for name in hop.columns]
            if None not in values:
                order = self._order(hop, row) if isinstance(hop, Collection) else b""
                entries.append((index_entry(source_part(key) + suffix(values), key, order), key))
        return entries

    def _order(self, hop: Collection, row: Row) -> bytes:
        value = row[hop.order_by] if hop.order_by else None
        if not hop.order_by or value is None:
            return encode_scalar(None) if hop.order_by else b""
        kind = self._flows.tables[hop.child].columns[hop.order_by].type
        encoded = encode_scalar(Decimal(value) if kind == "decimal" else value)
        return descending(encoded) if hop.descending else encoded


def _version(names: Sequence[str], row: Row) -> Version:
    return Version(1, encode(Record(Schema(tuple(names)).id, [row[name] for name in names])))


class _NoOldSchemas:
    def names(self, schema_id: int) -> tuple[str, ...]:
        raise KeyError(schema_id)
