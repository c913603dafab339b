"""What is known of a table before any row arrives: its groups, their schemas, its key, and what its rows point at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import is_not, ne, or_
from typing import Any

import msgspec

from proto.flows.model import Flows, Table
from proto.lane import Lane
from repo.rows import GroupReader, Schemas
from updater.references import Links, Place, links_of

_CONTAINERS = frozenset((list, dict))
_encode_json = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Group:
    """One group that a source writes.

    loose     positions of the columns that hold values in values: JSON
    single    for each column the tuple of its name alone: the usual change
    nulls     the values of a record that is not there
    """

    name: str
    lane: Lane
    columns: tuple[str, ...]
    schema: int
    reader: GroupReader
    loose: tuple[int, ...]
    single: tuple[tuple[str], ...]
    nulls: list[None]
    positions: range

    def differing(self, old: Sequence[Any], new: Sequence[Any]) -> list[int]:
        """Positions of the columns whose stored values are different. So are True, 1 and 1.0, which Python calls equal:
        the column may have had another type."""
        found: list[int] = []
        if old != new or [*map(type, old)] != [*map(type, new)]:  # in the usual case no loop in Python
            others = map(is_not, map(type, old), map(type, new))
            found = list(compress(self.positions, map(or_, map(ne, old, new), others)))
        for at in self.loose:
            if at not in found and type(old[at]) in _CONTAINERS and _encode_json(old[at]) != _encode_json(new[at]):
                found = sorted([*found, at])
        return found

    def named(self, positions: Iterable[int]) -> tuple[str, ...]:
        """Names of the columns at `positions`."""
        return tuple([self.columns[at] for at in positions])


@dataclass(frozen=True, slots=True)
class TableLayout:
    """groups: the source's, highest lane first; main: number of the group that holds the key, whose record says
    whether the row is there; places: where each of the source's columns stands."""

    table: Table
    groups: tuple[Group, ...]
    main: int
    places: dict[str, Place]
    links: Links

    @property
    def name(self) -> str:
        """The table's name in the flows file."""
        return self.table.name


def layouts(flows: Flows, schemas: Schemas) -> dict[str, TableLayout]:
    """All tables that sources and feeds write, by name; registers their schemas."""
    tables = [table for table in flows.tables.values() if table.from_outside]
    grouped = [(table, lane, columns) for table in tables for lane, columns in _source_groups(table)]
    registered = schemas.register([columns for _, _, columns in grouped])
    groups: dict[str, list[Group]] = {table.name: [] for table in tables}
    for (table, lane, columns), schema in zip(grouped, registered, strict=True):
        groups[table.name].append(_group(table, lane, columns, GroupReader(schemas, schema)))
    return {table.name: _layout(flows, table, tuple(groups[table.name])) for table in tables}


def _source_groups(table: Table) -> list[tuple[Lane, tuple[str, ...]]]:
    groups = table.groups()
    return [(lane, groups[lane.name.lower()]) for lane in Lane if lane.name.lower() in groups]


def _group(table: Table, lane: Lane, columns: tuple[str, ...], reader: GroupReader) -> Group:
    loose = tuple(at for at, name in enumerate(columns) if table.columns[name].type == "json")
    single = tuple((name,) for name in columns)
    return Group(
        lane.name.lower(), lane, columns, reader.schema.id, reader, loose, single,
        [None] * len(columns), range(len(columns)),
    )  # fmt: skip


def _layout(flows: Flows, table: Table, groups: tuple[Group, ...]) -> TableLayout:
    places = {name: (number, at) for number, group in enumerate(groups) for at, name in enumerate(group.columns)}
    return TableLayout(table, groups, places[table.key[0]][0], places, links_of(flows, table, places))
