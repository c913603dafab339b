"""Whole rows for handlers and asynchronous fields: the reads of a round, gathered."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from argus.api import Row, RowRef
from argus.context import Context, row_key, row_of
from argus.driver import Ask
from argus.fetch import row_maker
from proto.errors import InvalidMessageError
from proto.flows.model import Collection, Flows, Table
from proto.record import Schema
from repo.api import Reads, Version
from repo.keys import index_prefix
from repo.rows import GroupReader, SchemaNames
from repo.system import collection_index


class Found(NamedTuple):
    """A row, None where nothing is, or an exception where what is stored does not fit its column; versions: see
    Context."""

    row: Row | Exception | None
    versions: Mapping[str, int]


Readers = Mapping[tuple[str, str], GroupReader]
"""(table, group) -> reader."""


def readers_of(flows: Flows, schemas: SchemaNames) -> dict[tuple[str, str], GroupReader]:
    """Of all the tables. Registers no schema: that is for those who write."""
    return {
        (table.name, group): GroupReader(schemas, Schema(names))
        for table in flows.tables.values()
        for group, names in table.groups().items()
    }


class RowStore:
    """Reads whole rows for contexts: one storage call a table and group for all that a round asks for."""

    def __init__(self, flows: Flows, readers: Readers) -> None:
        self._flows, self._readers = flows, readers

    def groups(self, table: str) -> tuple[str, ...]:
        """The groups that a row of `table` has."""
        return tuple(self._flows.tables[table].groups())

    def gather(self, snapshot: Reads, contexts: Sequence[Context], asked: Sequence[tuple[int, Ask]]) -> list[Any]:
        """The answers of one round. contexts: by the coroutine's index."""
        children = self._collections(snapshot, contexts, asked)
        wanted = dict.fromkeys(row for _, ask in asked for row in ask.rows)
        wanted.update(dict.fromkeys(row for rows in children.values() for row in rows))
        found = self.rows(snapshot, wanted)
        answers: list[Any] = []
        for number, (index, ask) in enumerate(asked):
            refs = ask.rows if ask.collection is None else children[number]
            answers.append(_answer(ask, refs, found, contexts[index]))
        return answers

    def rows(self, snapshot: Reads, wanted: Iterable[RowRef]) -> dict[RowRef, Found]:
        """Rows by address. wanted: without repetition."""
        by_table: dict[str, list[RowRef]] = {}
        for row in wanted:
            by_table.setdefault(row.table, []).append(row)
        found: dict[RowRef, Found] = {}
        for name, rows in by_table.items():
            table = self._flows.tables[name]
            keys = [row_key(row) for row in rows]
            groups = [_Group(table, group, self._readers[name, group]) for group in table.groups()]
            versions = [snapshot.read(name, group.name, keys) for group in groups]
            for row, *parts in zip(rows, *versions, strict=True):
                found[row] = _row(row, groups, parts)
        return found

    def _collections(
        self, snapshot: Reads, contexts: Sequence[Context], asked: Sequence[tuple[int, Ask]]
    ) -> dict[int, list[RowRef]]:
        parents: dict[Collection, list[tuple[int, int, bytes]]] = {}
        for number, (index, ask) in enumerate(asked):
            if ask.collection is not None:
                parent, name = ask.collection
                hop = self._flows.tables[parent.table].collections[name]
                parents.setdefault(hop, []).append((number, index, index_prefix(row_key(parent))))
        children: dict[int, list[RowRef]] = {}
        for hop, places in parents.items():
            prefixes = [prefix for _, _, prefix in places]
            pages = snapshot.scan_prefixes(collection_index(hop), prefixes, hop.limit)
            for (number, index, _), entries in zip(places, pages, strict=True):
                children[number] = [row_of(hop.child, child) for _, child in entries]
                contexts[index].reads.update(children[number])
        return children


class _Group:
    """How the values of one group are read, and shown. decides: whether the row is there."""

    def __init__(self, table: Table, name: str, reader: GroupReader) -> None:
        columns = reader.schema.names
        self.name, self.values, self.decides = name, reader.values, name == table.key_group()
        self.nulls: Sequence[Any] = (None,) * len(columns)
        self.shown = row_maker(columns, [table.columns[column].type for column in columns])


def _row(ref: RowRef, groups: Sequence[_Group], parts: Sequence[Version | None]) -> Found:
    """What handlers derived for a row that its source has deleted is not seen."""
    values: dict[str, Any] = {}
    versions = {group.name: part.commit_timestamp if part else 0 for group, part in zip(groups, parts, strict=True)}
    there = False
    try:
        for group, version in zip(groups, parts, strict=True):
            stored = group.values(version)
            if stored is None:
                versions[group.name] *= -1
            there = there or (group.decides and stored is not None)
            values.update(group.shown(group.nulls if stored is None else stored))
    except Exception as error:  # a value that was stored when its column had another type
        shown = f"{ref.table}/{','.join(map(str, ref.key))}"
        return Found(InvalidMessageError(f"row {shown} can't be read: {error}"), versions)
    return Found(Row(ref, values) if there else None, versions)


def _answer(ask: Ask, refs: Sequence[RowRef], found: Mapping[RowRef, Found], context: Context) -> Any:
    """What an await gets; an exception is raised there."""
    rows: list[Row | None] = []
    for ref in refs:
        stored, context.versions[ref] = found[ref]
        if isinstance(stored, Exception):
            return stored
        rows.append(context.seen(ref, stored))
    if ask.collection is not None:
        return [row for row in rows if row is not None]
    return rows[0] if ask.single else rows
