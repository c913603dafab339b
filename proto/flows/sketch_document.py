"""Which table of a database becomes a document in a first flows file, and with which fields."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from proto.flows.sketch import SketchedTable, singular, unused

HOPS_MAX = 3
FIELDS_MAX = 200


@dataclass(frozen=True, slots=True)
class SketchedDocument:
    """why: for the comment above it. fields: name -> path. cut: more than FIELDS_MAX were found."""

    name: str
    root: SketchedTable
    why: str
    fields: dict[str, str]
    cut: bool = False


def sketch_documents(tables: Sequence[SketchedTable]) -> list[SketchedDocument]:
    """At least one when there is a table that is not refused."""
    roots, why = _roots([table for table in tables if not table.refused])
    taken: set[str] = set()
    by_name = {table.name: table for table in tables}
    return [_document(unused(singular(root.name), taken), root, why, by_name) for root in roots]


def _roots(tables: Sequence[SketchedTable]) -> tuple[list[SketchedTable], str]:
    """Details (order lines) belong to the document of what they are details of; so they are neither roots, nor do they
    count as referring to something."""
    details = [table for table in tables if table.is_detail()]
    wholes = [table for table in tables if table not in details]
    targets = {link.table for table in wholes for link in table.references if link.table != table.name}
    leaves = [table for table in wholes if table.references and table.name not in targets]
    if leaves:
        return leaves, "it refers to other tables, and none refers to it"
    largest = sorted(wholes or tables, key=lambda table: -len(table.columns) - len(table.collections))
    return largest[:1], "no table stands out as the one that the others are about, and it is the largest"


def _document(name: str, root: SketchedTable, why: str, by_name: dict[str, SketchedTable]) -> SketchedDocument:
    fields: dict[str, str] = {}
    taken: set[str] = set()
    for path in (*_along_references(root, (), (root.name,), by_name), *_along_collections(root, by_name)):
        if len(fields) == FIELDS_MAX:
            return SketchedDocument(name, root, why, fields, cut=True)
        fields[_field_name(path, taken)] = ".".join(path)
    return SketchedDocument(name, root, why, fields)


def _along_references(
    table: SketchedTable, way: tuple[str, ...], seen: tuple[str, ...], by_name: dict[str, SketchedTable]
) -> Iterator[tuple[str, ...]]:
    """The columns of the table, then those of its parents. Further away, the key is left out: the child has it."""
    for column in table.columns:
        if column not in table.sensitive and not (way and column in table.key):
            yield (*way, column)
    if len(way) < HOPS_MAX and table.name not in seen[:-1]:
        for link in table.references:
            yield from _along_references(by_name[link.table], (*way, link.name), (*seen, link.table), by_name)


def _along_collections(root: SketchedTable, by_name: dict[str, SketchedTable]) -> Iterator[tuple[str, ...]]:
    """Lists: what the parts of a root's row say themselves, and what their other parents say (many to many)."""
    for collection in root.collections:
        child = by_name[collection.table]
        if not any(child.is_detail_of(link) for link in child.references if link.columns == collection.columns):
            continue
        linking = {column for link in child.references for column in link.columns}
        for column in child.columns:
            if column not in linking and column not in child.sensitive and child.key != (column,):
                yield (collection.name, column)
        for link in child.references:
            parent = by_name[link.table]
            if link.columns != collection.columns and parent is not root:
                for column in parent.columns:
                    if column not in parent.sensitive and column not in parent.key:
                        yield (collection.name, link.name, column)


def _field_name(path: tuple[str, ...], taken: set[str]) -> str:
    """`ad_group.campaign.name` -> `campaign_name`; the whole path where that is taken."""
    short = "_".join(path[-2:])
    return unused(short if short not in taken else "_".join(path), taken)
