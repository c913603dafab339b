"""Reads all rows that a batch of documents needs: one storage call a node and group, whatever the number of
documents."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

from argus.plan import Node, Plan, Slot
from argus.shared_rows import Rows
from proto.codec import KEY_BYTES_MAX, encode_scalar
from proto.errors import InvalidMessageError
from proto.flows.model import Collection, Reference, Table
from proto.values import coerce, to_python
from repo.api import Reads
from repo.keys import index_prefix
from repo.rows import GroupReader
from repo.system import collection_index

Values = Sequence[Any]

_NOWHERE = b"\xff"  # no encoded value begins so


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
        self._suffixes: dict[str, Callable[[Sequence[Any]], bytes]] = {
            node.path: parent_suffix(node.parent.table, node.hop.columns, node.table)
            for node in plan.nodes
            if node.parent is not None and isinstance(node.hop, Reference)
        }
        self._nulls = [(None,) * len(slot.columns) for slot in plan.slots]
        self._rows = {
            slot.number: Rows(node.table.name, slot.group, readers[node.table.name, slot.group], _is_shared(node))
            for node in plan.nodes
            for slot in node.slots.values()
        }
        self._slots = {
            node.path: sorted(node.slots.values(), key=lambda slot: slot.group != node.table.key_group())
            for node in plan.nodes
        }

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
        columns = [(above.slots[slot.number], at) for slot, at in (_place(node.parent, name) for name in hop.columns)]
        if len(columns) == 1:
            return _parents_by_one(above.keys, *columns[0], suffix)
        values = zip(*([row[at] for row in rows] for rows, at in columns), strict=True)
        return [
            None if key is None or None in parts else source_part(key) + suffix(parts)
            for key, parts in zip(above.keys, values, strict=True)
        ]

    def _children(self, snapshot: Reads, hop: Collection, above: _Flat) -> _Flat:
        parents = [key for key in dict.fromkeys(above.keys) if key is not None]
        prefixes = list(map(index_prefix, parents))
        pages = snapshot.scan_prefixes(collection_index(hop), prefixes, hop.limit) if prefixes else []
        children: dict[bytes | None, list[bytes]] = {None: []}
        for parent, entries in zip(parents, pages, strict=True):
            children[parent] = [child for _, child in entries]
        keys: list[bytes | None] = [child for key in above.keys for child in children[key]]
        lengths = [len(children[key]) for key in above.keys]
        counts = lengths if above.counts is None else [sum(part) for part in _grouped(lengths, above.counts)]
        return _Flat(keys, {}, counts)

    def _read(self, snapshot: Reads, node: Node, flat: _Flat, missing: list[list[str] | None]) -> list[bool]:
        """Fills the node's slots; returns for each key whether its row is there. Of a row that is not, no group is
        seen: a handler's may outlive its source's."""
        unique = [key for key in dict.fromkeys(flat.keys) if key is not None]
        absent: set[bytes | None] = {None}
        parked: set[bytes] = set()
        for slot in self._slots[node.path]:  # the group that says whether the row is there comes first
            nulls, main = self._nulls[slot.number], not flat.slots
            rows: dict[bytes | None, Values] = {None: nulls}
            records = self._rows[slot.number].read(snapshot, unique)
            for key, record in zip(unique, records, strict=True):
                if record is None or record.values is None or key in absent:
                    rows[key] = nulls
                    if main:
                        absent.add(key)
                else:
                    rows[key] = record.values
                if record is not None and record.parked:
                    parked.add(key)
            if main and isinstance(node.hop, Collection) and len(absent) > 1:
                _drop(flat, absent)
            flat.slots[slot.number] = [rows[key] for key in flat.keys]
        if node.parent is not None and len(absent) > 1:
            parked.update(key for key in absent if key is not None)
        if parked:
            self._note_missing(node, flat, parked, missing)
        return [key not in absent for key in flat.keys]

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


def _parents_by_one(
    keys: Sequence[bytes | None], rows: Sequence[Values], at: int, suffix: Callable[[Sequence[Any]], bytes]
) -> list[bytes | None]:
    """The usual case, a reference of one column. Each parent is encoded once: its children are many."""
    known: dict[Any, bytes | None] = {None: None}
    prefix = b""
    found: list[bytes | None] = []
    for key, row in zip(keys, rows, strict=True):
        value = row[at]
        if key is None:
            found.append(None)
            continue
        if not prefix or not key.startswith(prefix):  # another source
            prefix, known = source_part(key), {None: None}
        if value not in known:
            known[value] = prefix + suffix((value,))
        found.append(known[value])
    return found


def _is_shared(node: Node) -> bool:
    """Whether several documents read the same rows: not the root's, nor those of its own collections."""
    return node.parent is not None and not (node.parent.parent is None and isinstance(node.hop, Collection))


def _drop(flat: _Flat, absent: set[bytes | None]) -> None:
    """Leaves children out that are in the index and not in the snapshot."""
    assert flat.counts is not None
    kept = [[key for key in keys if key not in absent] for keys in _grouped(flat.keys, flat.counts)]
    flat.keys = [key for keys in kept for key in keys]
    flat.counts = list(map(len, kept))


def _place(node: Node, column: str) -> tuple[Slot, int]:
    for slot in node.slots.values():
        if column in slot.columns:
            return slot, slot.columns.index(column)
    raise KeyError(column)


def parent_suffix(child: Table, columns: Sequence[str], parent: Table) -> Callable[[Sequence[Any]], bytes]:
    """Reference values of a child -> its parent's key without the source; values take the types of the parent's key.

    Values that no parent can have (of another type, or too long for a key) give a key that no row has.
    """
    kinds = [parent.columns[name].type for name in parent.key]
    same = [child.columns[name].type for name in columns] == kinds

    def suffix(values: Sequence[Any]) -> bytes:
        try:
            typed = values if same else [coerce(kind, value) for kind, value in zip(kinds, values, strict=True)]
            encoded = b"".join(map(encode_scalar, typed)) + b"\0"
        except InvalidMessageError:
            return _NOWHERE
        return encoded if len(encoded) <= KEY_BYTES_MAX else _NOWHERE

    return suffix


def _grouped(values: Sequence[Any], counts: Sequence[int]) -> list[Any]:
    ends = list(accumulate(counts, initial=0))
    return [values[start:end] for start, end in pairwise(ends)]


def row_dict(columns: Sequence[str], types: Sequence[str], values: Values) -> dict[str, Any]:
    """A row as computed fields and handlers get it."""
    return {name: to_python(kind, value) for name, kind, value in zip(columns, types, values, strict=True)}
