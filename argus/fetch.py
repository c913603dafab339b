"""Reads all rows that a batch of documents needs: one storage call a node and group, whatever the number of
documents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from argus.plan import Node, Plan, Slot
from proto.codec import encode_scalar
from proto.errors import ValueTypeError
from proto.flows.model import Collection, Reference, Table
from proto.values import coerce, to_python
from repo.api import Reads
from repo.keys import index_prefix
from repo.rows import GroupReader
from repo.system import collection_index

Values = Sequence[Any]


@dataclass(slots=True)
class Fetched:
    """Rows of a batch. slots: by slot number, per document the values (for a node below a collection: a list of them).

    exists: the root row is there. missing: per document the paths whose row is not there, or could not be stored;
    None: nothing is missing.
    """

    slots: list[list[Any]]
    exists: list[bool]
    missing: list[list[str] | None]


@dataclass(slots=True)
class _Flat:
    """Rows of one node for the whole batch in one list; counts: how many belong to each document (None: one each)."""

    keys: list[bytes | None]
    slots: dict[int, list[Values]]
    counts: list[int] | None


def source_part(key: bytes) -> bytes:
    """The encoded source name that a key begins with."""
    end = key.index(0, 1)
    while key[end + 1] == 0xFF:
        end = key.index(0, end + 2)
    return key[: end + 1]


class Fetch:
    """Compiled reads of one plan. readers: (table, group) -> GroupReader."""

    def __init__(self, plan: Plan, readers: dict[tuple[str, str], GroupReader]) -> None:
        self._plan = plan
        self._readers = readers
        self._suffixes: dict[str, Callable[[Sequence[Any]], bytes]] = {
            node.path: parent_suffix(node.parent.table, node.hop.columns, node.table)
            for node in plan.nodes
            if node.parent is not None and isinstance(node.hop, Reference)
        }
        self._nulls = [tuple([None] * len(slot.columns)) for slot in plan.slots]

    def rows(self, snapshot: Reads, documents: Sequence[bytes]) -> Fetched:
        """documents: keys of root rows, without repetition."""
        missing: list[list[str] | None] = [None] * len(documents)
        flats: dict[str, _Flat] = {}
        exists: list[bool] = []
        for node in self._plan.nodes:
            flat = self._keys(snapshot, node, flats, documents)
            flats[node.path] = flat
            present = self._read(snapshot, node, flat, missing)
            if node.parent is None:
                exists = present
        slots: list[list[Any]] = [[]] * len(self._plan.slots)
        for flat in flats.values():
            for number, values in flat.slots.items():
                slots[number] = values if flat.counts is None else _grouped(values, flat.counts)
        return Fetched(slots, exists, missing)

    def _keys(self, snapshot: Reads, node: Node, flats: dict[str, _Flat], documents: Sequence[bytes]) -> _Flat:
        if node.parent is None:
            return _Flat(list(documents), {}, None)
        above = flats[node.parent.path]
        if isinstance(node.hop, Collection):
            return self._children(snapshot, node.hop, above)
        assert node.hop is not None
        return _Flat(self._parents(node, node.hop, above), {}, above.counts)

    def _parents(self, node: Node, hop: Reference, above: _Flat) -> list[bytes | None]:
        """Keys of the parents: the child's source, then its reference columns."""
        assert node.parent is not None
        suffix = self._suffixes[node.path]
        memo: dict[Any, bytes] = {}
        slot, at = _place(node.parent, hop.columns[0])
        rows = above.slots[slot.number]
        keys: list[bytes | None] = []
        if len(hop.columns) == 1:
            for key, row in zip(above.keys, rows, strict=True):
                value = row[at]
                if value is None or key is None:
                    keys.append(None)
                    continue
                end = memo.get(value)
                if end is None:
                    end = memo[value] = suffix((value,))
                keys.append(source_part(key) + end)
            return keys
        columns = [
            [row[at] for row in above.slots[slot.number]]
            for slot, at in (_place(node.parent, name) for name in hop.columns)
        ]
        for key, *values in zip(above.keys, *columns, strict=True):
            keys.append(None if key is None or None in values else source_part(key) + suffix(values))
        return keys

    def _children(self, snapshot: Reads, hop: Collection, above: _Flat) -> _Flat:
        wanted = [key for key in above.keys if key is not None]
        found = iter(snapshot.scan_prefixes(collection_index(hop), [index_prefix(key) for key in wanted], hop.limit))
        keys: list[bytes | None] = []
        lengths: list[int] = []
        for key in above.keys:
            entries = [] if key is None else next(found)
            keys += [child for _, child in entries]
            lengths.append(len(entries))
        counts = lengths if above.counts is None else [sum(part) for part in _grouped(lengths, above.counts)]
        return _Flat(keys, {}, counts)

    def _read(self, snapshot: Reads, node: Node, flat: _Flat, missing: list[list[str] | None]) -> list[bool]:
        """Fills the node's slots; returns for each key whether its row is there."""
        unique = list(dict.fromkeys(key for key in flat.keys if key is not None))
        present: dict[bytes | None, bool] = {}
        bad: set[bytes] = set()
        key_group = node.table.key_group()
        for group, slot in node.slots.items():
            reader = self._readers[node.table.name, group]
            nulls = self._nulls[slot.number]
            rows: dict[bytes | None, Values] = {None: nulls}
            for key, version in zip(unique, snapshot.read(node.table.name, group, unique), strict=True):
                record = reader.record(version)
                values = None if record is None else record.values
                rows[key] = nulls if values is None else values
                if record is not None and record.parked:
                    bad.add(key)
                if group == key_group:
                    present[key] = values is not None
                    if values is None and not isinstance(node.hop, Collection) and node.parent is not None:
                        bad.add(key)
            flat.slots[slot.number] = [rows[key] for key in flat.keys]
        if bad:
            self._note_missing(node, flat, bad, missing)
        return [present.get(key, False) for key in flat.keys]

    def _note_missing(self, node: Node, flat: _Flat, bad: set[bytes], missing: list[list[str] | None]) -> None:
        owners: Sequence[int] = range(len(flat.keys))
        if flat.counts is not None:
            owners = [owner for owner, count in enumerate(flat.counts) for _ in range(count)]
        for owner, key in zip(owners, flat.keys, strict=True):
            if key in bad:
                text = node.path or node.table.name
                noted = missing[owner]
                if noted is None:
                    missing[owner] = [text]
                elif text not in noted:
                    noted.append(text)


def _place(node: Node, column: str) -> tuple[Slot, int]:
    for slot in node.slots.values():
        if column in slot.columns:
            return slot, slot.columns.index(column)
    raise KeyError(column)


def parent_suffix(child: Table, columns: Sequence[str], parent: Table) -> Callable[[Sequence[Any]], bytes]:
    """Reference values of a child -> its parent's key without the source; values take the types of the parent's key."""
    kinds = [parent.columns[name].type for name in parent.key]
    same = [child.columns[name].type for name in columns] == kinds

    def suffix(values: Sequence[Any]) -> bytes:
        typed = values if same else [_fitted(kind, value) for kind, value in zip(kinds, values, strict=True)]
        return b"".join(map(encode_scalar, typed)) + b"\0"

    return suffix


def _fitted(kind: str, value: Any) -> Any:
    try:
        return coerce(kind, value)
    except ValueTypeError:
        return value  # no parent can have this key: the row is missing, and listed as such


def _grouped(values: Sequence[Any], counts: Sequence[int]) -> list[Any]:
    ends = list(accumulate(counts, initial=0))
    return [values[start:end] for start, end in pairwise(ends)]


def row_dict(columns: Sequence[str], types: Sequence[str], values: Values) -> dict[str, Any]:
    """A row as computed fields and handlers get it."""
    return {name: to_python(kind, value) for name, kind, value in zip(columns, types, values, strict=True)}
