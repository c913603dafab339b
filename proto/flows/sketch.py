"""What a first flows file says about the tables of a database: names, keys, references, collections, and what is left
out and why."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from proto.flows.inspected import InspectedForeignKey, InspectedTable
from proto.flows.links import fits

_SENSITIVE = re.compile(r"passw|secret|token|api_?key|ssn|iban|card_?number", re.IGNORECASE)
_KEY_ENDING = re.compile(r"(?<=.)(_?(id|ID|Id|fk|uuid)|_(key|code|no|number|ref))$")
_ORDER_COLUMNS = ("position", "sort_order", "ordinal", "line_number", "line_no", "sequence", "seq", "rank", "idx")


@dataclass(slots=True)
class SketchedLink:
    """A reference (table: the parent) or a collection (table: the child)."""

    name: str
    columns: tuple[str, ...]
    table: str
    order_by: str = ""


@dataclass(slots=True)
class SketchedTable:
    """A table to write. notes: what was left out; refused: why the whole table is, "" when it is not."""

    name: str
    source: str
    key: tuple[str, ...]
    columns: dict[str, str]
    required: frozenset[str]
    sensitive: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]
    references: list[SketchedLink] = field(default_factory=list)
    collections: list[SketchedLink] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: str = ""

    def is_detail_of(self, link: SketchedLink) -> bool:
        """Whether a reference of it leads to the row that it is a part of (order lines, keywords of an ad), as its key
        says, or its name."""
        if link.table == self.name:
            return False
        in_key = len(self.key) > 1 and set(link.columns) <= set(self.key)
        return in_key or self.name.lower().startswith(singular(link.table).lower())

    def is_detail(self) -> bool:
        """It is a part of another table's rows."""
        return any(map(self.is_detail_of, self.references))


def sketch(inspected: Sequence[InspectedTable]) -> list[SketchedTable]:
    """In the order of `inspected`."""
    taken: set[str] = set()
    tables = [_table(one, unused(identifier(one.name), taken)) for one in inspected]
    by_source = {table.source.lower(): table for table in tables}  # names in SQL don't mind case
    wishes = [
        (table, foreign_key)
        for table, one in zip(tables, inspected, strict=True)
        for foreign_key in dict.fromkeys(one.foreign_keys)
        if not table.refused
    ]
    # A loop is broken where a reference may be NULL, if there is such a place: so those come last.
    wishes.sort(key=lambda wish: not set(wish[1].columns) <= wish[0].required)
    for table, foreign_key in wishes:
        _add_reference(table, foreign_key, by_source)
    for table in tables:
        places = list(table.columns)
        table.references.sort(key=lambda link: places.index(link.columns[0]))
        for link in table.references:
            _add_collection(next(other for other in tables if other.name == link.table), table, link)
    return tables


def identifier(text: str) -> str:
    """`Order Details` -> `Order_Details`: something that can be a name in a path."""
    name = re.sub(r"\W+", "_", text).strip("_")
    return name if name.isidentifier() else f"t_{name}".rstrip("_")


def singular(name: str) -> str:
    """`categories` -> `category`, `boxes` -> `box`, `ads` -> `ad`; good enough for a name that people may change."""
    for ending, instead in _SINGULARS:
        if name.lower().endswith(ending) and len(name) > len(ending) + 1:
            return name[: -len(ending)] + instead
    return name[:-1] if name.lower().endswith("s") and len(name) > 2 else name


_SINGULARS = (
    ("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"), ("ss", "ss"), ("gnoses", "gnosis"),
    ("lyses", "lysis"), ("theses", "thesis"), ("crises", "crisis"), ("tuses", "tus"), ("sis", "sis"), ("tus", "tus"),
)  # fmt: skip
"""Endings -> what stands in their place; the last two are singular already."""


def unused(name: str, taken: set[str]) -> str:
    """`name`, or `name_2`, ...: and takes it."""
    found = next(one for one in _numbered(name) if one not in taken)
    taken.add(found)
    return found


def _numbered(name: str) -> Iterable[str]:
    yield name
    for number in range(2, 10_000):
        yield f"{name}_{number}"


def _table(inspected: InspectedTable, name: str) -> SketchedTable:
    usable = [column for column in inspected.columns if column.name and _is_usable(column.name)]
    columns: dict[str, str] = {column.name: column.type for column in usable}
    table = SketchedTable(
        name=name,
        source=inspected.name,
        key=inspected.key,
        columns=columns,
        required=frozenset(column.name for column in usable if not column.nullable) | frozenset(inspected.key),
        sensitive=tuple(column.name for column in usable if _SENSITIVE.search(column.name)),
        unique=inspected.unique,
    )
    table.notes += [
        f"column {column.name!r}: its name can't stand in a path"
        for column in inspected.columns
        if column not in usable
    ]
    if not inspected.key:
        table.refused = "it has no primary key, by which its rows are told apart"
    elif not set(inspected.key) <= columns.keys():
        table.refused = "the name of a key column can't stand in a path"
    for key in inspected.key:
        if columns.get(key) == "json":
            columns[key] = "str"
    return table


def _is_usable(column: str) -> bool:
    return "." not in column and '"' not in column and column.isprintable()


def _add_reference(table: SketchedTable, foreign_key: InspectedForeignKey, by_source: dict[str, SketchedTable]) -> None:
    shown = f"foreign key ({', '.join(foreign_key.columns)}) to {foreign_key.parent!r}"
    parent = by_source.get(foreign_key.parent.lower())
    if parent is None or parent.refused:
        table.notes.append(f"{shown}: that table {'is left out' if parent else 'is not there'}")
        return
    columns = _columns_in_key_order(table, foreign_key, parent)
    if columns is None:
        table.notes.append(f"{shown}: it does not lead to the primary key, and only that can be followed")
    elif not all(fits(table.columns[one], parent.columns[key]) for one, key in zip(columns, parent.key, strict=True)):
        table.notes.append(f"{shown}: the types differ")
    elif parent is not table and _leads_to(parent, table, {other.name: other for other in by_source.values()}):
        table.notes.append(f"{shown}: with the other references it would make a loop; the collection leads back")
    else:
        table.references.append(SketchedLink(_reference_name(table, columns, parent), columns, parent.name))


def _columns_in_key_order(
    table: SketchedTable, foreign_key: InspectedForeignKey, parent: SketchedTable
) -> tuple[str, ...] | None:
    """The child's columns in the order of the parent's key."""
    real = {name.lower(): name for name in table.columns}
    targets = [name.lower() for name in foreign_key.parent_columns or parent.key]
    if sorted(targets) != sorted(key.lower() for key in parent.key) or len(targets) != len(foreign_key.columns):
        return None
    by_target = dict(zip(targets, (real.get(name.lower()) for name in foreign_key.columns), strict=True))
    ordered = [by_target[key.lower()] for key in parent.key]
    return tuple(name for name in ordered if name) if all(ordered) else None


def _leads_to(table: SketchedTable, wanted: SketchedTable, by_name: dict[str, SketchedTable]) -> bool:
    seen, ahead = set[str](), [table.name]
    while ahead:
        name = ahead.pop()
        if name == wanted.name:
            return True
        if name not in seen:
            seen.add(name)
            ahead += [link.table for link in by_name[name].references]
    return False


def _reference_name(table: SketchedTable, columns: tuple[str, ...], parent: SketchedTable) -> str:
    """`campaign_id` -> campaign; without such an ending, or with several columns -> the parent's name."""
    what, column = singular(parent.name), identifier(columns[-1])
    stem = _KEY_ENDING.sub("", column)
    alone = len(columns) == 1 and stem != column
    return _free([stem if alone else what, f"{stem}_{what}"], table)


def _add_collection(parent: SketchedTable, child: SketchedTable, link: SketchedLink) -> None:
    alone = sum(1 for other in child.references if other.table == parent.name) == 1 and child is not parent
    by_reference = f"{child.name}_by_{link.name}"
    name = _free([child.name, by_reference] if alone else [by_reference], parent)
    order = next((column for column in child.columns if column.lower() in _ORDER_COLUMNS), "")
    parent.collections.append(
        SketchedLink(name, link.columns, child.name, order if child.columns.get(order) != "json" else "")
    )


def _free(candidates: list[str], table: SketchedTable) -> str:
    taken = {*table.columns, *(link.name for link in (*table.references, *table.collections))}
    return next((name for name in candidates if name not in taken), None) or unused(candidates[-1], taken)
