"""Which handlers the changes of a test's rows would call: what the dispatcher finds out from notifications."""

from collections.abc import Mapping
from typing import Any

from argus.api import Change, RowRef
from argus.context import row_of
from argus.parent_keys import parent_suffix, source_part
from argus.registry import Application

Row = Mapping[str, Any]


class Wakes:
    """Notes changes of stored rows; `take` gives the calls that they cause, changes of one row together."""

    def __init__(self, application: Application) -> None:
        self._application, self._flows = application, application.flows
        self._changes: dict[RowRef, Change] = {}

    def note(self, table: str, key: bytes, before: Row | None, after: Row | None) -> None:
        """A row as it was and as it is; None: it is not there."""
        if before == after:
            return
        row = row_of(table, key)
        columns = frozenset[str]()
        if before is not None and after is not None:
            columns = frozenset(name for name in after if before.get(name) != after[name])
        left = self._parents(table, key, before) - self._parents(table, key, after)
        known = self._changes.get(row)
        if known is not None:
            columns = known.columns | columns if known.columns and columns else frozenset()
            left |= known.left
        self._changes[row] = Change(row, columns, left)

    def take(self) -> list[tuple[str, Change]]:
        """(handler, change), since the last call."""
        changes, self._changes = self._changes, {}
        return [
            (name, change)
            for name, spec in self._application.handlers.items()
            for change in changes.values()
            if any(_is_observed(text, change) for text in spec.observes)
        ]

    def _parents(self, table: str, key: bytes, row: Row | None) -> frozenset[RowRef]:
        """Rows that it refers to, and those in whose collections it is."""
        if row is None:
            return frozenset()
        links = [(link.columns, link.parent) for link in self._flows.tables[table].references.values()]
        links += [
            (link.columns, owner.name)
            for owner in self._flows.tables.values()
            for link in owner.collections.values()
            if link.child == table
        ]
        found = set()
        for columns, parent in links:
            values = [row[name] for name in columns]
            if None not in values:
                suffix = parent_suffix(self._flows.tables[table], columns, self._flows.tables[parent])(values)
                if suffix.endswith(b"\0"):  # otherwise no row can have that key
                    found.add(row_of(parent, source_part(key) + suffix))
        return frozenset(found)


def _is_observed(observed: str, change: Change) -> bool:
    table, _, column = observed.partition(".")
    return table == change.row.table and (not column or not change.columns or column in change.columns)
