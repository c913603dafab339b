"""Writes a first flows file from what a look into a database found; it loads as it is, and is there to be edited."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from proto.errors import SettingsError
from proto.flows.inspected import InspectedTable
from proto.flows.sketch import SketchedLink, SketchedTable, sketch
from proto.flows.sketch_document import SketchedDocument, sketch_documents

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_COLLECTION_LIMIT = 1000
_HEAD = """\
# A first flows file, from the tables, keys and foreign keys of the database. Everything in it may be changed.
#
# [tables.NAME]          what is read: the source's table, its key, its columns and their types
#   lane                 how urgent its changes are: high, medium, low
#   references           from a row to a row that it refers to: name = "column -> table"
#   collections          from a row to the rows that refer to it: name = "table.column order by column limit n"
# [documents.NAME]       what is built: one document for each row of `root`
#   servable             a condition in SQL over paths: whether the document may be served
# [documents.NAME.fields]   field = "path": along references to a column; along collections, to a list of values
"""


def write_flows(tables: Iterable[InspectedTable]) -> str:
    """The text of a flows file. Raises SettingsError when no table has a key, so that there is nothing to write."""
    sketched = sketch(list(tables))
    if all(table.refused for table in sketched):
        hint = "give the tables that documents are made of a primary key"
        raise SettingsError(
            f"the database has no table with a primary key; {hint}" if sketched else "the database has no tables"
        )
    lines = [*_HEAD.splitlines()]
    for table in sketched:
        lines += ["", *_table(table)]
    for document in sketch_documents(sketched):
        lines += ["", *_document(document)]
    return "\n".join(lines) + "\n"


def _table(table: SketchedTable) -> Iterator[str]:
    if table.refused:
        yield _comment(f"Left out: {table.source!r}, because {table.refused}.")
        for key in table.unique:
            if key and set(key) <= table.required:
                yield _comment(f"Its columns {', '.join(key)} are unique: make them its primary key.")
        yield from (_comment(line) for line in _sections(table))
        return
    for note in table.notes:
        yield _comment(f"Left out of {table.name}: {note}.")
    yield from _sections(table)


def _sections(table: SketchedTable) -> Iterator[str]:
    yield f"[tables.{_key(table.name)}]"
    yield f"source = {_text(table.source)}"
    if table.key:
        yield f"key = {_text(table.key[0]) if len(table.key) == 1 else _list(table.key)}"
    yield 'lane = "high"'
    if table.sensitive:
        yield f"sensitive = {_list(table.sensitive)}"
    yield from _section(f"tables.{_key(table.name)}.columns", table.columns)
    yield from _section(
        f"tables.{_key(table.name)}.references", {link.name: _reference(link) for link in table.references}
    )
    collections = {link.name: _collection(link) for link in table.collections}
    yield from _section(f"tables.{_key(table.name)}.collections", collections)


def _section(name: str, pairs: dict[str, str]) -> Iterator[str]:
    if pairs:
        yield ""
        yield f"[{name}]"
        for key, value in pairs.items():
            yield f"{_key(key)} = {_text(value)}"


def _document(document: SketchedDocument) -> Iterator[str]:
    yield _comment(f"A document for each row of {document.root.name}: {document.why}.")
    yield _comment("Another table suits better? Change `root`, and the paths, which begin at it.")
    yield f"[documents.{_key(document.name)}]"
    yield f"root = {_text(document.root.name)}"
    condition = _condition(document.root)
    if condition:
        yield _comment(f"servable = {_text(condition)}")
    if document.cut:
        yield _comment(f"The first {len(document.fields)} fields; there are more.")
    yield from _section(f"documents.{_key(document.name)}.fields", document.fields)


def _condition(root: SketchedTable) -> str:
    """A condition that people may want, by the names of the root's columns; "" when nothing suggests one."""
    for column, kind in root.columns.items():
        if column.lower() in ("active", "is_active", "enabled", "is_enabled", "published", "is_published"):
            return column if kind == "bool" else f"{column} = 1"
        if column.lower() in ("status", "state") and kind == "str":
            return f"{column} = 'ACTIVE'"
    return ""


def _reference(link: SketchedLink) -> str:
    return f"{_columns(link.columns)} -> {link.table}"


def _collection(link: SketchedLink) -> str:
    order = f" order by {_name(link.order_by)}" if link.order_by else ""
    return f"{link.table}.{_columns(link.columns)}{order} limit {_COLLECTION_LIMIT}"


def _columns(columns: Sequence[str]) -> str:
    names = ", ".join(map(_name, columns))
    return names if len(columns) == 1 else f"({names})"


def _name(column: str) -> str:
    return column if re.fullmatch(r"[\w$]+", column) else f'"{column}"'


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, values))}]"


def _text(value: str) -> str:
    """A TOML string: as JSON's, except for one control character that JSON leaves as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(line: str) -> str:
    return f"# {''.join(character if character.isprintable() else '?' for character in line)}".rstrip()
