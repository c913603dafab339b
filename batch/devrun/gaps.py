"""What a new flows file asks for and the stored rows can't give, said plainly; and where they can: read from where
they are."""

from collections.abc import Iterator
from dataclasses import replace

from proto.flows.model import Collection, Flows, Reference, Table


def read_where_stored(flows: Flows, stored: Flows) -> Flows:
    """A column that only changes its lane is still read from the lane in which it is stored: lanes don't change
    values."""
    return replace(flows, tables={name: _table(table, stored.tables.get(name)) for name, table in flows.tables.items()})


def gaps(flows: Flows, stored: Flows) -> list[str]:
    """Sentences; none when every row that the flows name is stored as they name it."""
    found = [sentence for table in flows.tables.values() for sentence in _gaps(table, stored.tables.get(table.name))]
    for name, signal in flows.signals.items():
        known = stored.signals.get(name)
        if known is None or (known.key, known.fields) != (signal.key, signal.fields):
            found.append(f"signal {name!r} is {'new' if known is None else 'another'}: here it says nothing")
    return found


def _table(table: Table, stored: Table | None) -> Table:
    if stored is None:
        return table
    columns = {
        name: column
        if (known := stored.columns.get(name)) is None or column.writer or known.writer
        else replace(column, lane=known.lane)
        for name, column in table.columns.items()
    }
    return replace(table, columns=columns)


def _gaps(table: Table, stored: Table | None) -> Iterator[str]:
    if stored is None:
        if table.source_table:
            yield f"table {table.name!r} is new and holds nothing yet: here it is as if it were empty"
        return
    for column in table.columns.values():
        known = stored.columns.get(column.name)
        name = f"{table.name}.{column.name}"
        if known is None and not column.writer:
            yield f"column {name} is new and not stored yet: here it is NULL in every row, until it is bootstrapped"
        elif known is not None and known.type != column.type:
            yield f"column {name} becomes {column.type}: here its values are read as {known.type} stored them"
    links: list[Reference | Collection] = [*table.references.values(), *table.collections.values()]
    for link in links:
        old: Reference | Collection | None = stored.references.get(link.name) or stored.collections.get(link.name)
        if not isinstance(link, Collection):
            continue
        if old is None:
            yield f"collection {table.name}.{link.name} is new and not stored yet: here it is empty"
        elif isinstance(old, Collection) and _order(old) != _order(link):
            yield f"collection {table.name}.{link.name} changes its rows or its order: here it is as it is stored"


def _order(collection: Collection) -> tuple[object, ...]:
    return collection.child, collection.columns, collection.order_by, collection.descending
