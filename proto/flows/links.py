"""References and collections as they are written: `ad_group_id -> ad_groups`, `ad_keywords.ad_id order by position`.

A reference must not lead back to where it came from over another table (a -> b -> a): "the parents of a row" would have
no end, for fan-out, for `init` and for people. A table may refer to itself (categories.parent): its paths say how far
they go. Leading back the other way is what collections are for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from proto.flows.model import Collection, Reference, Table
from proto.flows.paths import nearest
from proto.flows.problems import Problems

LIMIT_MAX = 10_000
_DEFAULT_LIMIT = 1000

_NAME = r'(?:"[^"]+"|[\w$]+)'
_LIST = rf"{_NAME}(?:\s*,\s*{_NAME})*"
_REFERENCE = re.compile(rf"(?P<columns>{_LIST}|\(\s*{_LIST}\s*\))\s*->\s*(?P<parent>{_NAME})")
_COLLECTION = re.compile(
    rf"(?P<child>{_NAME})\s*\.\s*(?P<columns>{_NAME}|\(\s*{_LIST}\s*\))"
    rf"(?:\s+order\s+by\s+(?P<order>{_NAME})(?:\s+(?P<direction>asc|desc))?)?(?:\s+limit\s+(?P<limit>\d+))?",
    re.IGNORECASE,
)

_FITS = {
    "int": ("int", "str", "decimal", "float"), "str": ("str", "int", "decimal", "date", "datetime"),
    "float": ("float", "int", "decimal"), "decimal": ("decimal", "int", "float", "str"),
    "date": ("date", "str"), "datetime": ("datetime", "date", "str"), "bool": ("bool", "int"), "bytes": ("bytes",),
}  # fmt: skip


def read_reference(
    table: Table, name: str, text: str, tables: Mapping[str, Table], problems: Problems
) -> Reference | None:
    """A child's reference to a parent; None when there is a problem, which is noted."""
    link = _Link(table, "references", name, text, tables, problems)
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        link.note("can't be read", 'write "column -> table", or "(a, b) -> table" for a key of two columns')
        return None
    parent, columns = link.table(_plain(match["parent"])), _names(match["columns"])
    if link.has_free_name() and parent and link.columns_fit(table, columns, parent):
        return Reference(name, table.name, columns, parent.name)
    return None


def read_collection(
    table: Table, name: str, text: str, tables: Mapping[str, Table], problems: Problems
) -> Collection | None:
    """A parent's collection of children; None when there is a problem, which is noted."""
    link = _Link(table, "collections", name, text, tables, problems)
    match = _COLLECTION.fullmatch(text.strip())
    if match is None:
        link.note("can't be read", 'write "child.column", or "child.(a, b) order by column desc limit 200"')
        return None
    child, columns = link.table(_plain(match["child"])), _names(match["columns"])
    order, limit = _plain(match["order"] or ""), int(match["limit"] or _DEFAULT_LIMIT)
    if not 1 <= limit <= LIMIT_MAX:
        link.note(f"limit {limit} is out of range", f"write a limit from 1 to {LIMIT_MAX}")
    elif link.has_free_name() and child and link.columns_fit(child, columns, table) and link.can_order(child, order):
        descending = (match["direction"] or "").lower() == "desc"
        return Collection(name, table.name, child.name, columns, order, descending, limit)
    return None


def fits(child: str, key: str) -> bool:
    """A column of type `child` can refer to a key column of type `key`: its values are coerced to that."""
    return child in _FITS.get(key, ())


def refuse_loops(tables: Mapping[str, Table], problems: Problems) -> None:
    """Notes every reference that closes a loop over more than one table."""
    done: set[str] = set()

    def visit(table: Table, way: list[Reference]) -> None:
        for reference in table.references.values():
            if reference.parent == table.name or reference.parent in done:
                continue
            start = next((at for at, step in enumerate(way) if step.table == reference.parent), None)
            if start is None:
                visit(tables[reference.parent], [*way, reference])
                continue
            loop = ", ".join(f"{step.table}.{step.name} -> {step.parent}" for step in [*way[start:], reference])
            hint = "remove one of these references; a collection of the other table leads back"
            path = ("tables", table.name, "references", reference.name)
            problems.add(path, f"the references make a loop: {loop}", hint)
        done.add(table.name)

    for table in tables.values():
        if table.name not in done:
            visit(table, [])


@dataclass(frozen=True, slots=True)
class _Link:
    """What the checks of one reference or collection have in common."""

    owner: Table
    section: str
    name: str
    text: str
    tables: Mapping[str, Table]
    problems: Problems

    def note(self, what: str, hint: str = "") -> bool:
        message = f"{self.section[:-1]} {self.owner.name}.{self.name} = {self.text!r}: {what}"
        self.problems.add(("tables", self.owner.name, self.section, self.name), message, hint)
        return False

    def has_free_name(self) -> bool:
        if not self.name.isidentifier():
            return self.note(f"{self.name!r} can't stand in a path", "use letters, digits and underscores")
        if self.name in self.owner.columns:
            return self.note(f"{self.owner.name} has a column of the same name", "give it another name")
        return True

    def table(self, name: str) -> Table | None:
        if name not in self.tables:
            self.note(f"there is no table {name!r}", nearest(name, list(self.tables)))
        return self.tables.get(name)

    def columns_fit(self, child: Table, columns: tuple[str, ...], parent: Table) -> bool:
        """`columns` of the child can hold the parent's key, and the updater sees them change."""
        for column in columns:
            if column not in child.columns:
                return self.note(f"{child.name} has no column {column!r}", nearest(column, list(child.columns)))
            if child.columns[column].writer:
                hint = "only columns that come from a source can refer to other rows"
                return self.note(f"{child.name}.{column} is written by a handler", hint)
        if not parent.key or not set(parent.key) <= parent.columns.keys():
            return False  # noted where the key stands
        if len(columns) != len(parent.key):
            key = ", ".join(parent.key)
            return self.note(f"the key of {parent.name} is ({key})", "name as many columns, in that order")
        for column, key in zip(columns, parent.key, strict=True):
            had, wanted = child.columns[column].type, parent.columns[key].type
            if not fits(had, wanted):
                what = f"{child.name}.{column} is of type {had}, the key {parent.name}.{key} of type {wanted}"
                return self.note(what, f"declare {column} as {wanted!r}, if its values are")
        return self._sources_meet(child, parent)

    def _sources_meet(self, child: Table, parent: Table) -> bool:
        """Keys begin with the source's name, so rows of different sources never meet."""
        if child.sources and parent.sources and not set(child.sources) & set(parent.sources):
            what = f"{child.name} comes from {', '.join(child.sources)}, {parent.name} from {', '.join(parent.sources)}"
            return self.note(what, "rows of different sources can't refer to each other")
        return True

    def can_order(self, child: Table, order: str) -> bool:
        if not order:
            return True
        column = child.columns.get(order)
        if column is None:
            return self.note(f"{child.name} has no column {order!r}", nearest(order, list(child.columns)))
        if column.writer:
            return self.note(f"{child.name}.{order} is written by a handler", "order by a column of the source")
        if column.type == "json":
            return self.note(f"{child.name}.{order} is JSON, which has no order", "order by another column")
        return True


def _names(text: str) -> tuple[str, ...]:
    return tuple(_plain(name) for name in re.findall(_NAME, text))


def _plain(name: str) -> str:
    return name.strip('"')
