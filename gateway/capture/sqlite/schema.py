"""What tables, keys and unique indexes an SQLite database has; the look of `adsindex init` at it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.capture.sqlite.file import SqliteFile
from gateway.capture.sqlite.index_sql import index_text
from proto.flows.inspected import InspectedColumn, InspectedForeignKey, InspectedTable

OWN = "adsindex_"
"""What the names of everything begin with that the product installs."""
_WITHOUT_ROWID = re.compile(r"\)[^)']*\bWITHOUT\s+ROWID\b[^)']*$", re.I)


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """columns: ("" for an expression) in order, each with its collation; terms: expressions' texts; condition: of a
    partial index."""

    columns: tuple[str, ...]
    collations: tuple[str, ...]
    terms: tuple[str, ...] = ()
    condition: str = ""


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table as it is now.

    columns      name -> declared type, without hidden ones
    integer_key  the column that is the rowid, or ""
    row_id       a name that means the rowid and nothing else; "" for a table without rowid
    """

    name: str
    kind: str
    sql: str
    root_page: int
    columns: Mapping[str, str] = field(default_factory=dict)
    not_null: frozenset[str] = frozenset()
    primary_key: tuple[str, ...] = ()
    integer_key: str = ""
    row_id: str = ""
    unique: tuple[UniqueKey, ...] = ()


class Schema:
    """The schema at one moment; make it inside one read transaction of `file`."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file
        self.version: int = file.one("PRAGMA main.schema_version")[0]
        rows = file.all("SELECT type, name, tbl_name, rootpage, sql FROM main.sqlite_master ORDER BY type, name")
        self._objects = {
            name.lower(): (kind, name, root, sql or "")
            for kind, name, _, root, sql in rows
            if kind in ("table", "view")
        }
        self.triggers: dict[str, str] = {
            name: sql for kind, name, _, _, sql in rows if kind == "trigger" and name.startswith(OWN)
        }
        self._index_sql = {name: sql for kind, name, _, _, sql in rows if kind == "index" and sql}
        others = [row for row in rows if not row[1].startswith(OWN)]
        self.digest = hashlib.blake2b(repr(others).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    def tables(self) -> list[str]:
        """Names of the user's own tables."""
        return [
            name for kind, name, _, _ in self._objects.values()
            if kind == "table" and not name.startswith((OWN, "sqlite_"))
        ]  # fmt: skip

    def has(self, table: str) -> bool:
        return table.lower() in self._objects

    def shape(self, table: str) -> TableShape | None:
        """None when there is no such table."""
        found = self._objects.get(table.lower())
        if found is None:
            return None
        kind, name, root_page, sql = found
        if sql[:21].upper().startswith("CREATE VIRTUAL"):
            return TableShape(name, "virtual table", sql, root_page)
        info = [row for row in self._pragma("table_xinfo", name) if row[6] != 1]
        columns = {row[1]: row[2] or "" for row in info}
        if kind == "view":
            return TableShape(name, "view", sql, root_page, columns)
        primary_key = tuple(row[1] for row in sorted(info, key=lambda row: int(row[5])) if row[5])
        unique, key_has_index = self._unique_keys(name)
        without_rowid = bool(_WITHOUT_ROWID.search(sql))
        integer_key = primary_key[0] if len(primary_key) == 1 and not key_has_index and not without_rowid else ""
        if integer_key:
            unique.insert(0, UniqueKey((integer_key,), ("BINARY",)))
        return TableShape(
            name, "table", sql, root_page, columns,
            not_null=frozenset(row[1] for row in info if row[3] or row[1] == integer_key or (row[5] and without_rowid)),
            primary_key=primary_key,
            integer_key=integer_key,
            row_id="" if without_rowid else _row_id(columns),
            unique=tuple(unique),
        )  # fmt: skip

    def foreign_keys(self, table: str) -> list[InspectedForeignKey]:
        """In the order of their declaration."""
        found: dict[int, list[tuple[int, str, str, str | None]]] = {}
        for number, place, parent, column, parent_column, *_ in self._pragma("foreign_key_list", table):
            found.setdefault(number, []).append((place, parent, column, parent_column))
        keys = []
        for _, parts in sorted(found.items(), reverse=True):
            parts.sort()
            parents = tuple(part[3] for part in parts if part[3] is not None)
            keys.append(InspectedForeignKey(tuple(part[2] for part in parts), parts[0][1], parents))
        return keys

    def _unique_keys(self, table: str) -> tuple[list[UniqueKey], bool]:
        keys, key_has_index = [], False
        for _, name, unique, origin, partial, *_ in self._pragma("index_list", table):
            key_has_index = key_has_index or origin == "pk"
            if not unique:
                continue
            info = [row for row in self._pragma("index_xinfo", name) if row[5]]
            text = index_text(self._index_sql.get(name, "()"))
            keys.append(
                UniqueKey(
                    tuple("" if row[2] is None else row[2] for row in info),
                    tuple(row[4] for row in info),
                    text.terms if len(text.terms) == len(info) else (),
                    text.condition if partial else "",
                )
            )
        return keys, key_has_index

    def _pragma(self, name: str, argument: str) -> list[tuple]:  # type: ignore[type-arg]
        return self._file.all(f"PRAGMA main.{name}({quoted(argument)})")


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def inspect(url: str) -> list[InspectedTable]:
    """Every table of the user in the database, for a first flows file. Raises SettingsError for a URL without one."""
    file = SqliteFile(url, busy_ms=2_000)
    try:
        with file.reading():
            schema = Schema(file)
            shapes = [shape for name in schema.tables() if (shape := schema.shape(name)) and shape.kind == "table"]
            return [_inspected(schema, shape) for shape in shapes]
    finally:
        file.close()


def _inspected(schema: Schema, shape: TableShape) -> InspectedTable:
    whole = [unique for unique in shape.unique if "" not in unique.columns and not unique.condition]
    return InspectedTable(
        shape.name,
        tuple(InspectedColumn(name, declared, name not in shape.not_null) for name, declared in shape.columns.items()),
        shape.primary_key,
        tuple(schema.foreign_keys(shape.name)),
        tuple(unique.columns for unique in whole if set(unique.columns) != set(shape.primary_key)),
    )


def _row_id(columns: Mapping[str, str]) -> str:
    taken = {name.lower() for name in columns}
    return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), "")
