"""The tables of a flows file: from their spelling to the model, everything checked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from proto.flows.links import read_collection, read_reference, refuse_loops
from proto.flows.locator import KeyPath
from proto.flows.model import Column, Table
from proto.flows.paths import nearest
from proto.flows.problems import Problems
from proto.flows.spelling import TableSpelling
from proto.lane import Lane

_HANDLER = re.compile(r"[^\W\d][\w.]*(:[^\W\d]\w*)?")


def build_tables(spelled: Mapping[str, TableSpelling], problems: Problems) -> dict[str, Table]:
    """What is wrong is noted, and left out as far as it can be, so that one reading finds as much as possible."""
    bare = {name: _Builder(name, table, problems).build() for name, table in spelled.items()}
    _refuse_shared_sources(bare, problems)
    tables: dict[str, Table] = {}
    for name, table in bare.items():
        references = (
            read_reference(table, link, text, bare, problems) for link, text in spelled[name].references.items()
        )
        collections = (
            read_collection(table, link, text, bare, problems) for link, text in spelled[name].collections.items()
        )
        tables[name] = replace(
            table,
            references={link.name: link for link in references if link},
            collections={link.name: link for link in collections if link},
        )
        for link_name in sorted(spelled[name].references.keys() & spelled[name].collections.keys()):
            path = ("tables", name, "collections", link_name)
            problems.add(path, f"{name}.{link_name} is a reference and a collection", "rename one of them")
    refuse_loops(tables, problems)
    return tables


def check_name(name: str, path: KeyPath, what: str, problems: Problems) -> None:
    """Names of tables and documents stand in addresses (`ads/4711`), keys and paths."""
    if not name.isidentifier() or name.startswith("_"):
        hint = "begin with a letter, go on with letters, digits, underscores"
        hint += '; the database\'s own name stands in source = "..."' if what == "table" else ""
        problems.add(path, f"{what} {name!r} can't be named so", hint)


def check_handler(handler: str, path: KeyPath, problems: Problems) -> None:
    """`module:function`, or the name of a registered function; whether there is one is seen when it is imported."""
    if not _HANDLER.fullmatch(handler):
        hint = 'write "package.module:function", or the name of a function of the --handlers module'
        problems.add(path, f"handler {handler!r} can't be the name of a function", hint)


class _Builder:
    """Builds one table without its links."""

    def __init__(self, name: str, spelled: TableSpelling, problems: Problems) -> None:
        self._name = name
        self._spelled = spelled
        self._problems = problems
        self._from_outside = spelled.feed or bool(spelled.source)

    def build(self) -> Table:
        check_name(self._name, ("tables", self._name), "table", self._problems)
        self._check_writer()
        columns = {column.name: column for column in self._columns()}
        self._check_key(columns)
        self._check_named(columns, "lanes", list(self._spelled.lanes))
        self._check_named(columns, "sensitive", self._spelled.sensitive)
        return Table(
            name=self._name,
            source_table=self._spelled.source,
            key=tuple(self._spelled.key),
            columns=columns,
            references={},
            collections={},
            lane=Lane.parse(self._spelled.lane),
            sources=tuple(self._spelled.sources),
            at=self._problems.at(("tables", self._name)),
            feed=self._spelled.feed,
        )

    def _note(self, path: KeyPath, message: str, hint: str) -> None:
        self._problems.add(("tables", self._name, *path), f"table {self._name!r}: {message}", hint)

    def _check_writer(self) -> None:
        spelled = self._spelled
        if spelled.source and spelled.handler:
            hint = f"put the handler's columns into [tables.{self._name}.derived], or remove `source`"
            self._note(("handler",), "the source and a handler would write the same columns", hint)
        if spelled.feed and (spelled.source or spelled.handler):
            other = "source" if spelled.source else "handler"
            hint = f"remove `feed` or `{other}`; what is fed and what is not are two tables with one key"
            self._note(("feed",), f"it is fed, and its {other} would write the same columns", hint)
        if spelled.sources and not self._from_outside:
            self._note(("sources",), "`sources` without `source`", 'name the database\'s table: source = "..."')
        if not self._from_outside and not spelled.handler and not spelled.derived:
            hint = f'add source = "{self._name}"; or feed = true for rows from files; or handler = "module:function"'
            self._note((), "nothing writes it", hint)
        if spelled.handler:
            check_handler(spelled.handler, ("tables", self._name, "handler"), self._problems)

    def _columns(self) -> Iterator[Column]:
        spelled = self._spelled
        writer = "" if self._from_outside else spelled.handler
        if not self._from_outside and not writer and spelled.derived:  # who writes a row writes its key
            writer = next(iter(spelled.derived.values())).handler
            for name in [name for name in spelled.columns if name not in spelled.key]:
                hint = f"move it to [tables.{self._name}.derived] with its handler"
                self._note(("columns", name), f"nothing writes column {name!r}", hint)
        if self._from_outside and not spelled.columns:
            self._note((), "it has no columns", 'add columns = { id = "int", ... }')
        for name, kind in spelled.columns.items():
            self._check_column(("columns", name), name)
            lane = spelled.lanes.get(name, spelled.lane)
            yield Column(name, kind, Lane.parse(lane), writer, name in spelled.sensitive)
        for name, derived in spelled.derived.items():
            self._check_column(("derived", name), name)
            check_handler(derived.handler, ("tables", self._name, "derived", name, "handler"), self._problems)
            if name in spelled.columns:
                owner = writer or "the source"
                hint = "a column has exactly one writer: remove it here or there"
                self._note(("derived", name), f"column {name!r} is written by {owner} and {derived.handler}", hint)
            lane = derived.lane or spelled.lanes.get(name, spelled.lane)
            yield Column(name, derived.type, Lane.parse(lane), derived.handler, name in spelled.sensitive)

    def _check_column(self, path: KeyPath, name: str) -> None:
        if not name or "." in name or not name.isprintable():
            self._note(path, f"column {name!r} can't stand in a path", "leave it out, or rename it in the database")

    def _check_key(self, columns: Mapping[str, Column]) -> None:
        spelled = self._spelled
        if not spelled.key:
            self._note((), "it has no key", 'add key = "id", or key = ["a", "b"]')
        if len(set(spelled.key)) < len(spelled.key):
            self._note(("key",), "a column stands twice in the key", "name each column once")
        for name in spelled.key:
            column = columns.get(name)
            if column is None and columns:
                what = f"key column {name!r} is not among its columns"
                self._note(("key",), what, nearest(name, list(columns)))
            elif column is None:
                continue  # noted: it has no columns
            elif column.type == "json":
                self._note(("key",), f"key column {name!r} is JSON, which can't be a key", "declare it as 'str'")
            elif self._from_outside and column.writer:
                self._note(
                    ("key",), f"key column {name!r} is written by a handler", "a row's key comes from its source"
                )
            elif column.lane != Lane.parse(spelled.lane):
                hint = f"key columns stay in the table's lane; set lane = {column.lane.name.lower()!r} for the table"
                self._note(("lanes", name), f"key column {name!r} has a lane of its own", hint)

    def _check_named(self, columns: Mapping[str, Column], section: str, names: list[str]) -> None:
        for name in names:
            if name not in columns:
                self._note(
                    (section, name), f"{section} names {name!r}, which is no column", nearest(name, list(columns))
                )


def _refuse_shared_sources(tables: Mapping[str, Table], problems: Problems) -> None:
    """One table of one source feeds one table of the flows: each change of a row is captured once."""
    seen: list[Table] = []
    for table in tables.values():
        for other in seen:
            meets = not table.sources or not other.sources or bool(set(table.sources) & set(other.sources))
            if table.source_table and table.source_table.lower() == other.source_table.lower() and meets:
                what = f"table {table.name!r}: source {table.source_table!r} feeds {other.name!r}, too"
                hint = f"name all its columns in [tables.{other.name}], or give both different `sources`"
                problems.add(("tables", table.name, "source"), what, hint)
        seen.append(table)
