"""The rows of a tree of nodes for many keys of its top: one storage call a node and group, whatever the number of
keys."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, pairwise
from typing import Any

from argus.footprints import Footprints
from argus.plan import Node, Slot
from argus.shared_rows import ROWS_MAX, Children, Rows
from proto.codec import KEY_BYTES_MAX, encode_scalar, source_end
from proto.errors import InvalidMessageError
from proto.flows.model import Collection, Reference, Table
from proto.values import coerce
from repo.api import Reads
from repo.rows import GroupReader

Values = Sequence[Any]
Marks = Mapping[str, bytes]

NOWHERE = b"\xfe"  # no encoded value begins so; not 0xFF, which would go on with a text


@dataclass(slots=True)
class TreeRows:
    """Rows by key of the top, in the order of the keys.

    slots       by Slot.at, the values (for a node below a collection: a list of them)
    absent      keys whose top row is not there
    missing     the paths whose row is not there, or could not be stored; None: nothing is missing
    footprints  by node, the rows that were read (argus.lineage)
    """

    slots: list[list[Any]]
    absent: set[bytes | None]
    missing: list[list[str] | None]
    footprints: list[list[bytes]]


@dataclass(slots=True)
class _Flat:
    """Rows of one node for the whole batch in one list; counts: how many belong to each key (None: one each); absent:
    keys whose row is not there."""

    keys: Sequence[bytes | None]
    slots: dict[int, list[Values]]
    counts: list[int] | None
    absent: set[bytes | None] = field(default_factory=set)

    def present(self) -> Sequence[bytes | None]:
        """The keys; None for those whose row is not there: as in a join, no children are behind it."""
        return [None if key in self.absent else key for key in self.keys] if self.absent else self.keys


class Tree:
    """Compiled reads of some nodes, the top first. tables: those whose change marks it needs."""

    def __init__(self, nodes: Sequence[Node], readers: Mapping[tuple[str, str], GroupReader]) -> None:
        self._nodes = nodes
        self._parents = {
            node.path: ParentKeys(node, node.parent, node.hop)
            for node in nodes[1:]
            if node.parent is not None and isinstance(node.hop, Reference)
        }
        self._children = {node.path: Children(node.hop) for node in nodes if isinstance(node.hop, Collection)}
        self._rows = {  # by node; the group that says whether the row is there comes first
            node.path: [
                (slot.at, Rows(node.table.name, slot.group, readers[node.table.name, slot.group]))
                for slot in node.ordered_slots()
            ]
            for node in nodes
        }
        self._footprints = {
            node.path: Footprints([rows for _, rows in self._rows[node.path]], _is_shared(node)) for node in nodes
        }
        shared = [node for node in nodes if _is_shared(node)]
        self._shared = frozenset(node.path for node in shared)
        marked = [rows.table for node in shared for _, rows in self._rows[node.path]]
        marked += [self._children[node.path].table for node in shared if isinstance(node.hop, Collection)]
        self.tables = tuple(dict.fromkeys(marked))

    def read(self, snapshot: Reads, keys: Sequence[bytes | None], prefix: bytes, marks: Marks) -> TreeRows:
        """keys: of the top, without repetition. prefix: the encoded source of all of them; b"": they are of several."""
        missing: list[list[str] | None] = [None] * len(keys)
        flats: dict[str, _Flat] = {}
        for node in self._nodes:
            flat = flats[node.path] = self._keys(snapshot, node, flats, keys, prefix, marks)
            self._read(snapshot, node, flat, missing, marks)
        slots: list[list[Any]] = [[]] * sum(map(len, self._rows.values()))
        for flat in flats.values():
            for at, values in flat.slots.items():
                slots[at] = values if flat.counts is None else _grouped(values, flat.counts)
        footprints = [self._footprints[path].of(flat.keys, flat.counts, prefix) for path, flat in flats.items()]
        return TreeRows(slots, flats[self._nodes[0].path].absent, missing, footprints)

    def _keys(
        self,
        snapshot: Reads,
        node: Node,
        flats: dict[str, _Flat],
        top: Sequence[bytes | None],
        prefix: bytes,
        marks: Marks,
    ) -> _Flat:
        if node.parent is None or not flats:
            return _Flat(top, {}, None)
        above = flats[node.parent.path]
        if isinstance(node.hop, Reference):
            return _Flat(self._parents[node.path].of(above.keys, above.slots, prefix), {}, above.counts)
        known = self._children[node.path]
        mark = marks.get(known.table) if node.path in self._shared else None
        children = known.read(snapshot, above.present(), mark)
        lengths = list(map(len, children))
        counts = lengths if above.counts is None else [sum(part) for part in _grouped(lengths, above.counts)]
        return _Flat(list(chain.from_iterable(children)), {}, counts)

    def _read(self, snapshot: Reads, node: Node, flat: _Flat, missing: list[list[str] | None], marks: Marks) -> None:
        """Fills the node's slots. Of a row that is not there no group is seen: a handler's may outlive its source's."""
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
        flat.absent = absent

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


class ParentKeys:
    """Keys of the parents of a node's rows: the child's source, then its reference columns."""

    def __init__(self, node: Node, child: Node, hop: Reference) -> None:
        self._suffix = parent_suffix(child.table, hop.columns, node.table)
        self._places = [(slot.at, at) for slot, at in (_place(child, name) for name in hop.columns)]
        self._prefix = b""
        self._known: dict[Any, bytes | None] = {}  # of one source; emptied when it is full

    def of(
        self,
        keys: Sequence[bytes | None],
        slots: Mapping[int, Sequence[Values]] | Sequence[Sequence[Values]],
        prefix: bytes,
    ) -> list[bytes | None]:
        """keys, slots: of the rows; prefix: see Tree.read."""
        suffix = self._suffix
        columns = [[row[at] for row in slots[number]] for number, at in self._places]
        if prefix and len(columns) == 1:  # the usual case; each parent is encoded once
            if prefix != self._prefix or len(self._known) > ROWS_MAX:
                self._prefix, self._known = prefix, {None: None}
            known = self._known
            for value in set(columns[0]).difference(known):
                known[value] = prefix + suffix((value,))
            return [known[value] for value in columns[0]]
        return [
            None if key is None or None in values else (prefix or source_part(key)) + suffix(values)
            for key, *values in zip(keys, *columns, strict=True)
        ]


def source_part(key: bytes) -> bytes:
    """The encoded source name that a key begins with."""
    return key[: source_end(key)]


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
