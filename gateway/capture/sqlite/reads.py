"""The SELECTs of one captured table, made once per schema."""

from collections.abc import Sequence
from typing import Any

from gateway.capture.port import CapturedTable, Key
from gateway.capture.sqlite.file import SqliteFile
from gateway.capture.sqlite.schema import TableShape, quoted
from gateway.capture.sqlite.triggers import CHANGES
from proto.events import TableRows

_ORDER_OF_ENCODED_KEYS = {"int": ("INT",), "str": ("CHAR", "CLOB", "TEXT"), "bytes": ("BLOB",)}
"""Type in the flows file -> declared types with which SQLite sorts values of that type just as their encodings sort."""


def key_is_unique(table: CapturedTable, shape: TableShape) -> bool:
    """Whether the database itself sees to it that no two rows have the same key."""
    key = {name.lower() for name in table.key}
    if key == {shape.row_id} and shape.row_id:
        return True
    unique = [
        {name.lower() for name in one.columns} for one in shape.unique if not one.condition and "" not in one.columns
    ]
    return any(one <= key for one in unique)


class TableReads:
    """Reads rows of one table inside the caller's transaction."""

    def __init__(self, file: SqliteFile, table: CapturedTable, shape: TableShape, utf8: bool) -> None:
        self.table = table
        self._file = file
        collations = _collations(table, shape)
        not_null = {name.lower() for name in (*shape.not_null, shape.row_id)}
        self._nullable = any(name.lower() not in not_null for name in table.key)
        self._exact = not self._nullable and all(one == "BINARY" for one in collations)
        self.ordered = self._exact and utf8 and all(_sorts_alike(table, shape, name) for name in table.key)
        self._key_places = table.key_places
        self._write_statements(shape)

    def _write_statements(self, shape: TableShape) -> None:
        table, on = self.table, f"main.{quoted(shape.name)} AS t"
        columns = ", ".join(f"t.{quoted(name)}" for name in table.columns)
        keys = [f"t.{quoted(name)}" for name in table.key]
        key, logged = ", ".join(keys), ", ".join(f"k{place}" for place in range(len(keys)))
        marks = ", ".join("?" * len(keys))
        entries = f"FROM {CHANGES} WHERE sequence > ? AND sequence <= ? AND name = ?"
        if self._nullable:
            same = " AND ".join(f"{column} IS c.k{place}" for place, column in enumerate(keys))
            self._touched = f"SELECT {columns} FROM (SELECT DISTINCT {logged} {entries}) AS c CROSS JOIN {on} ON {same}"
        else:
            self._touched = f"SELECT {columns} FROM {on} WHERE ({key}) IN (SELECT {logged} {entries})"
        self._touched_keys = f"SELECT DISTINCT {logged} {entries}"
        self._touched_count = f"SELECT count(*) FROM ({self._touched_keys})"
        some_null = " OR ".join(f"{column} IS NULL" for column in keys)
        self._without_key = f"SELECT {columns} FROM {on} WHERE {some_null}"
        self._page = f"SELECT {columns} FROM {on} WHERE " + (f"NOT ({some_null})" if self._nullable else "1")
        self._above, self._upto = f" AND ({key}) > ({marks})", f" AND ({key}) <= ({marks})"
        self._in_order = f" ORDER BY {key} LIMIT ?"
        self._one = f"SELECT {columns} FROM {on} WHERE " + " AND ".join(f"{column} IS ?" for column in keys)

    def touched(self, begin: int, through: int, entries: int) -> TableRows:
        """The rows named by log entries in (begin, through], as they are now; keys whose row is gone in `deleted`.

        entries: how many there are; as many rows are all rows, without a further look.
        """
        table, span = self.table, (begin, through, self.table.name)
        rows = self._file.all(self._touched, span)
        gone: list[Key] = []
        if not self._exact or (len(rows) != entries and self._file.one(self._touched_count, span)[0] != len(rows)):
            places = self._key_places
            found = {tuple([row[place] for place in places]): row for row in rows}
            gone = [key for key in self._file.all(self._touched_keys, span) if key not in found]
            rows = list(found.values())
        return TableRows(table.name, table.columns, rows, gone)

    def page(self, after: Key | None, limit: int, through: Key | None) -> tuple[list[tuple[Any, ...]], Key | None]:
        """Rows in key order and the last one's key, None when there are no more; rows without a key come first."""
        sql, values = self._page, list[Any]()
        if after is not None:
            sql, values = sql + self._above, [*values, *after]
        if through is not None:
            sql, values = sql + self._upto, [*values, *through]
        rows = self._file.all(sql + self._in_order, [*values, limit])
        last = tuple([rows[-1][place] for place in self._key_places]) if len(rows) == limit else None
        if self._nullable and after is None:
            rows = self._file.all(self._without_key) + rows
        return rows, last

    def named(self, keys: Sequence[Key]) -> list[tuple[Any, ...]]:
        """The rows with these keys, those that are there."""
        return [row for key in keys for row in self._file.all(self._one, key)]


def _collations(table: CapturedTable, shape: TableShape) -> tuple[str, ...]:
    """Of the key columns: those of the unique index that the key stands on."""
    by_column = {}
    for unique in reversed(shape.unique):
        by_column.update(
            {name.lower(): collation.upper() for name, collation in zip(unique.columns, unique.collations, strict=True)}
        )
    return tuple(by_column.get(name.lower(), "BINARY") for name in table.key)


def _sorts_alike(table: CapturedTable, shape: TableShape, name: str) -> bool:
    kind = table.types[table.columns.index(name)]
    declared = {column.lower(): text.upper() for column, text in shape.columns.items()}.get(name.lower(), "INTEGER")
    return any(part in declared for part in _ORDER_OF_ENCODED_KEYS.get(kind, ()))
