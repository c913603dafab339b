"""Reads all rows that a batch of documents needs: one storage call a node and group, whatever the number of
documents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise, repeat
from typing import Any

from argus.footprints import Footprints
from argus.plan import Node, Plan, Slot
from argus.shared_rows import ROWS_MAX, Children, Rows
from proto.codec import KEY_BYTES_MAX, encode_scalar, source_end
from proto.errors import InvalidMessageError
from proto.flows.model import Collection, Reference, Table
from proto.values import coerce, to_python
from repo.api import Reads
from repo.rows import GroupReader

Values = Sequence[Any]
Marks = Mapping[str, bytes]

NOWHERE = b"\xfe"  # no encoded value begins so; not 0xFF, which would go on with a text


@dataclass(slots=True)
class Fetched:
    """Rows of a batch. slots: by slot number, per document the values (for a node below a collection: a list of them).

    exists: the root row is there. missing: per document the paths whose row is not there, or could not be stored;
    None: nothing is missing. footprints: per document the rows that were read, in the order of the plan's nodes
    (argus.lineage).
    """

    slots: list[list[Any]]
    exists: list[bool]
    missing: list[list[str] | None]
    footprints: list[bytes]


@dataclass(slots=True)
class _Flat:
    """Rows of one node for the whole batch in one list; counts: how many belong to each document (None: one each)."""

    keys: Sequence[bytes | None]
    slots: dict[int, list[Values]]
    counts: list[int] | None


def source_part(key: bytes) -> bytes:
    """The encoded source name that a key begins with."""
    return key[: source_end(key)]


class Fetch:
    """Compiled reads of one plan. readers: (table, group) -> GroupReader."""

    def __init__(self, plan: Plan, readers: dict[tuple[str, str], GroupReader]) -> None:
        self._plan = plan
        self._parents = {
            node.path: _ParentKeys(node, node.parent, node.hop)
            for node in plan.nodes
            if node.parent is not None and isinstance(node.hop, Reference)
        }
        self._children = {node.path: Children(node.hop) for node in plan.nodes if isinstance(node.hop, Collection)}
        self._rows = {  # by node; the group that says whether the row is there comes first
            node.path: [
                (slot.number, Rows(node.table.name, slot.group, readers[node.table.name, slot.group]))
                for slot in node.ordered_slots()
            ]
            for node in plan.nodes
        }
        self._footprints = {node.path: Footprints([rows for _, rows in self._rows[node.path]]) for node in plan.nodes}
        shared = [node for node in plan.nodes if _is_shared(node)]
        marked = [rows.table for node in shared for _, rows in self._rows[node.path]]
        marked += [self._children[node.path].table for node in shared if isinstance(node.hop, Collection)]
        self._marked = tuple(dict.fromkeys(marked))
        self._shared = frozenset(node.path for node in shared)

    def rows(self, snapshot: Reads, documents: Sequence[bytes]) -> Fetched:
        """documents: keys of root rows, without repetition."""
        marks = dict(zip(self._marked, snapshot.change_marks(self._marked), strict=True))
        missing: list[list[str] | None] = [None] * len(documents)
        flats: dict[str, _Flat] = {}
        prefix = _one_source(documents)
        absent: set[bytes | None] = set()
        for node in self._plan.nodes:
            flat = flats[node.path] = self._keys(snapshot, node, flats, documents, prefix, marks)
            gone = self._read(snapshot, node, flat, missing, marks)
            if node.parent is None:
                absent = gone
        slots: list[list[Any]] = [[]] * len(self._plan.slots)
        for flat in flats.values():
            for number, values in flat.slots.items():
                slots[number] = values if flat.counts is None else _grouped(values, flat.counts)
        noted = [self._footprints[path].of(flat.keys, flat.counts) for path, flat in flats.items()]
        footprints = list(map(b"".join, zip(*noted, strict=True)))
        return Fetched(slots, [key not in absent for key in documents], missing, footprints)

    def _keys(
        self,
        snapshot: Reads,
        node: Node,
        flats: dict[str, _Flat],
        documents: Sequence[bytes],
        prefix: bytes,
        marks: Marks,
    ) -> _Flat:
        if node.parent is None:
            return _Flat(documents, {}, None)
        above = flats[node.parent.path]
        if isinstance(node.hop, Reference):
            return _Flat(self._parents[node.path].of(above, prefix), {}, above.counts)
        known = self._children[node.path]
        mark = marks.get(known.table) if node.path in self._shared else None
        children = known.read(snapshot, above.keys, mark)
        lengths = list(map(len, children))
        counts = lengths if above.counts is None else [sum(part) for part in _grouped(lengths, above.counts)]
        return _Flat(list(chain.from_iterable(children)), {}, counts)

    def _read(
        self, snapshot: Reads, node: Node, flat: _Flat, missing: list[list[str] | None], marks: Marks
    ) -> set[bytes | None]:
        """Fills the node's slots; returns the keys whose rows are not there. Of such a row no group is seen: a
        handler's may outlive its source's."""
        absent: set[bytes | None] = set()
        bad: set[bytes | None] = set()
        shared = node.path in self._shared
        for number, rows in self._rows[node.path]:
            rows.read(snapshot, flat.keys, marks[rows.table] if shared else None)
            if not flat.slots and rows.absent:
                absent = rows.absent.intersection(flat.keys)
                if absent and isinstance(node.hop, Collection):
                    _drop(flat, absent)
            if rows.parked:
                bad |= rows.parked.intersection(flat.keys)
            values = rows.values
            if absent:
                flat.slots[number] = [rows.nulls if key in absent else values[key] for key in flat.keys]
            else:
                flat.slots[number] = [values[key] for key in flat.keys]
        if node.parent is not None:
            bad |= absent
        if bad:
            self._note_missing(node, flat, bad, missing)
        return absent

    def _note_missing(self, node: Node, flat: _Flat, bad: set[bytes | None], missing: list[list[str] | None]) -> None:
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


class _ParentKeys:
    """Keys of the parents of a node's rows: the child's source, then its reference columns."""

    def __init__(self, node: Node, child: Node, hop: Reference) -> None:
        self._suffix = parent_suffix(child.table, hop.columns, node.table)
        self._places = [(slot.number, at) for slot, at in (_place(child, name) for name in hop.columns)]
        self._prefix = b""
        self._known: dict[Any, bytes | None] = {}  # of one source; emptied when it is full

    def of(self, above: _Flat, prefix: bytes) -> list[bytes | None]:
        """prefix: the encoded source of all rows; b"": they are of several."""
        suffix = self._suffix
        columns = [[row[at] for row in above.slots[number]] for number, at in self._places]
        if prefix and len(columns) == 1:  # the usual case; each parent is encoded once
            if prefix != self._prefix or len(self._known) > ROWS_MAX:
                self._prefix, self._known = prefix, {None: None}
            known = self._known
            for value in set(columns[0]).difference(known):
                known[value] = prefix + suffix((value,))
            return [known[value] for value in columns[0]]
        return [
            None if key is None or None in values else (prefix or source_part(key)) + suffix(values)
            for key, *values in zip(above.keys, *columns, strict=True)
        ]


def _one_source(documents: Sequence[bytes]) -> bytes:
    """The encoded source of all documents; b"" when they are of several."""
    prefix = source_part(documents[0]) if documents else b""
    return prefix if all(map(bytes.startswith, documents, repeat(prefix))) else b""


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
            return NOWHERE
        return encoded if len(encoded) <= KEY_BYTES_MAX else NOWHERE

    return suffix


def _grouped(values: Sequence[Any], counts: Sequence[int]) -> list[Any]:
    ends = list(accumulate(counts, initial=0))
    return [values[start:end] for start, end in pairwise(ends)]


def row_dict(columns: Sequence[str], types: Sequence[str], values: Values) -> dict[str, Any]:
    """A row as computed fields and handlers get it."""
    return {name: to_python(kind, value) for name, kind, value in zip(columns, types, values, strict=True)}
