"""Does a change concern a document? By the keys of the rows that it reads, and of those whose collections it reads."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from argus.parent_keys import parent_suffix
from argus.plan import Plan
from ops.lookup.read_rows import ReadRow, row_text
from proto.codec import encode_key, source_prefix
from proto.errors import InvalidMessageError
from proto.events import RowChange, TableRows
from proto.flows.model import Collection, Flows, Table
from proto.values import coerce

RowKey = tuple[str, bytes]


class Touching:
    """Of one document. read: (table, key) of the rows that it reads, those that are not there among them."""

    def __init__(self, flows: Flows, plan: Plan, source: str, rows: Iterable[ReadRow], own: Iterable[RowKey]) -> None:
        """own: rows that its asynchronous fields have read by themselves."""
        self.read: set[RowKey] = {(row.table, row.key) for row in rows if row.key is not None} | set(own)
        self._flows, self._source = flows, source
        self._used: dict[str, set[str]] = {}
        self._parents: dict[str, list[tuple[Collection, Callable[[Sequence[Any]], bytes]]]] = {}
        for node in plan.nodes:
            self._used.setdefault(node.table.name, set()).update(node.used)
            hop = node.hop
            if isinstance(hop, Collection):
                suffix = parent_suffix(node.table, hop.columns, flows.tables[hop.table])
                self._parents.setdefault(hop.child, []).append((hop, suffix))

    def raw_key(self, table: str, key: Sequence[Any]) -> str:
        """The address of a row that a source names, when the document reads it; else ""."""
        known = self._flows.tables.get(table)
        encoded = None if known is None else self._encoded(known, key[: len(known.key)])
        return row_text(table, encoded) if encoded is not None and (table, encoded) in self.read else ""

    def rows(self, rows: TableRows) -> list[str]:
        """Addresses of the rows of a unit that concern it."""
        table = self._flows.tables.get(rows.table)
        if table is None:
            return []
        found = [self._encoded(table, key) for key in rows.deleted]
        found = [key for key in found if (rows.table, key) in self.read]
        places = [rows.columns.index(name) for name in table.key]
        for row in rows.rows:
            key = self._encoded(table, [row[place] for place in places])
            if (rows.table, key) in self.read or self.is_member(rows.table, dict(zip(rows.columns, row, strict=True))):
                found.append(key)
        return [row_text(rows.table, key) for key in found if key is not None]

    def change(self, change: RowChange) -> bool:
        """Whether a notification's row concerns it: a column that it uses, or the members of a collection."""
        if (change.table, change.key) in self.read:
            used = self._used.get(change.table)
            if not change.columns or used is None or not used.isdisjoint(change.columns):
                return True
        for name, parents in (change.references or {}).items():
            owner, dot, _ = name.partition(".")
            if dot and any(parent is not None and (owner, parent) in self.read for parent in parents):
                return True
        return False

    def member_columns(self, table: str) -> tuple[str, ...]:
        """Columns by which rows of a table belong to collections that the document reads; () when it reads none."""
        return tuple(dict.fromkeys(name for hop, _ in self._parents.get(table, ()) for name in hop.columns))

    def is_member(self, table: str, row: Mapping[str, Any]) -> bool:
        """Whether a raw row belongs to a collection that the document reads."""
        for hop, suffix in self._parents.get(table, ()):
            values = [row.get(name) for name in hop.columns]
            if None not in values and (hop.table, source_prefix(self._source) + suffix(values)) in self.read:
                return True
        return False

    def _encoded(self, table: Table, key: Sequence[Any]) -> bytes | None:
        kinds = [table.columns[name].type for name in table.key]
        try:
            return encode_key((self._source, *[coerce(kind, one) for kind, one in zip(kinds, key, strict=True)]))
        except (InvalidMessageError, ValueError):
            return None
