"""The rows of a tree of nodes for many keys of its top: one storage call a node and group, whatever the number of
keys."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

from argus.footprints import grouped, of_lists
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


_Flat = tuple[Sequence[bytes | None], list[int] | None]
"""Keys of the rows at one place for the whole batch, and how many of them belong to each key of the top (None: one
each)."""


class _Place:
    """A node: how the keys of its rows are found, and the rows.

    above: number of the place where they are found, by `parents` or `children`; the top has neither
    is_shared: whether several documents read the same rows; slots: Slot.at, in the order of the groups
    """

    def __init__(self, node: Node, nodes: Sequence[Node], readers: Mapping[tuple[str, str], GroupReader]) -> None:
        """nodes: of the tree, this one among them."""
        slots, table, hop = node.ordered_slots(), node.table.name, node.hop
        self.name = node.path or table
        self.is_root, self.is_shared = node.parent is None, _is_shared(node)
        self.slots = [slot.at for slot in slots]
        self.rows = Rows(table, {slot.group: readers[table, slot.group] for slot in slots})
        self.above = 0
        self.parents: ParentKeys | None = None
        self.children: Children | None = None
        if node is not nodes[0] and node.parent is not None:
            self.above = nodes.index(node.parent)
            self.parents = ParentKeys(node, node.parent, hop) if isinstance(hop, Reference) else None
            self.children = Children(hop) if isinstance(hop, Collection) else None


class Tree:
    """Compiled reads of some nodes, the top first. tables: those whose change marks it needs."""

    def __init__(self, nodes: Sequence[Node], readers: Mapping[tuple[str, str], GroupReader]) -> None:
        self._places = [_Place(node, nodes, readers) for node in nodes]
        self._slots = sum(len(place.slots) for place in self._places)
        shared = [place for place in self._places if place.is_shared]
        marked = [place.rows.table for place in shared]
        marked += [place.children.table for place in shared if place.children]
        self.tables = tuple(dict.fromkeys(marked))

    def read(self, snapshot: Reads, keys: Sequence[bytes | None], prefix: bytes, marks: Marks) -> TreeRows:
        """keys: of the top, without repetition. prefix: the encoded source of all of them; b"": they are of several."""
        found = TreeRows([[]] * self._slots, set(), [None] * len(keys), [])
        slots, flats = found.slots, list[_Flat]()
        for place in self._places:
            rows, here, counts = place.rows, keys, None
            if place.parents is not None:
                above, counts = flats[place.above]
                here = place.parents.of(above, slots, prefix)
            elif place.children is not None:
                here, counts = self._listed(snapshot, place, place.children, flats[place.above], marks)
            rows.read(snapshot, here, marks[rows.table] if place.is_shared else None, prefix)
            if rows.absent or rows.parked:
                here, counts = _without_gaps(place, here, counts, found.missing)
            flats.append((here, counts))
            for at, values in zip(place.slots, rows.groups, strict=True):
                slots[at] = list(map(values.__getitem__, here))
            noted = list(map(rows.footprints.__getitem__, here))
            found.footprints.append(noted if counts is None else of_lists(noted, counts))
        for place, (_, counts) in zip(self._places, flats, strict=True):
            if counts is not None:
                for at in place.slots:
                    slots[at] = grouped(slots[at], counts)
        found.absent = self._places[0].rows.absent
        return found

    def _listed(self, snapshot: Reads, place: _Place, children: Children, above: _Flat, marks: Marks) -> _Flat:
        """The rows of a collection. As in a join, none are behind a row that is not there."""
        owners, counts = above
        absent = self._places[place.above].rows.absent
        present = [None if key in absent else key for key in owners] if absent else owners
        listed = children.read(snapshot, present, marks[children.table] if place.is_shared else None)
        lengths = list(map(len, listed))
        if counts is not None:
            lengths = list(map(sum, grouped(lengths, counts)))
        return list(chain.from_iterable(listed)), lengths


def _without_gaps(
    place: _Place, keys: Sequence[bytes | None], counts: list[int] | None, missing: list[list[str] | None]
) -> _Flat:
    """Notes which documents miss a row of this place. Children that are in the index and not in the snapshot are left
    out."""
    rows = place.rows
    if counts is not None and place.children is not None and not rows.absent.isdisjoint(keys):
        kept = [[key for key in part if key not in rows.absent] for part in grouped(keys, counts)]
        keys, counts = list(chain.from_iterable(kept)), list(map(len, kept))
    bad = rows.parked.intersection(keys)
    if not place.is_root:
        bad |= rows.absent.intersection(keys)
    if bad:
        owners: Iterable[int] = range(len(keys))
        if counts is not None:
            owners = [owner for owner, count in enumerate(counts) for _ in range(count)]
        for owner in dict.fromkeys(owner for owner, key in zip(owners, keys, strict=True) if key in bad):
            missing[owner] = [*(missing[owner] or ()), place.name]
    return keys, counts


class ParentKeys:
    """Keys of the parents of a node's rows: the child's source, then its reference columns."""

    def __init__(self, node: Node, child: Node, hop: Reference) -> None:
        self._suffix = parent_suffix(child.table, hop.columns, node.table)
        self._columns = [(slot.at, itemgetter(at)) for slot, at in (_slot_of(child, name) for name in hop.columns)]
        self._first, self._value = self._columns[0]
        self._known = _Encoded(b"", self._suffix)

    def of(self, keys: Sequence[bytes | None], slots: Sequence[Sequence[Values]], prefix: bytes) -> list[bytes | None]:
        """keys, slots: of the rows; prefix: see Tree.read."""
        if not prefix or self._columns[1:]:
            return self._of_many(keys, slots, prefix)
        if prefix != self._known.prefix:
            self._known = _Encoded(prefix, self._suffix)
        return list(map(self._known.__getitem__, map(self._value, slots[self._first])))

    def _of_many(
        self, keys: Sequence[bytes | None], slots: Sequence[Sequence[Values]], prefix: bytes
    ) -> list[bytes | None]:
        """Of several sources or columns."""
        columns = [map(value, slots[number]) for number, value in self._columns]
        return [
            None if key is None or None in values else (prefix or source_part(key)) + self._suffix(values)
            for key, *values in zip(keys, *columns, strict=True)
        ]


class _Encoded(dict[Any, bytes | None]):
    """Value of a reference column -> key of the parent, of one source; encodes those that it is asked for first. When
    there are too many, all are forgotten."""

    def __init__(self, prefix: bytes, suffix: Callable[[Sequence[Any]], bytes]) -> None:
        super().__init__({None: None})
        self.prefix, self._suffix = prefix, suffix

    def __missing__(self, value: Any) -> bytes | None:
        if len(self) > ROWS_MAX:
            self.clear()
            self[None] = None
        key = self[value] = self.prefix + self._suffix((value,))
        return key


def source_part(key: bytes) -> bytes:
    """The encoded source name that a key begins with."""
    return key[: source_end(key)]


def _is_shared(node: Node) -> bool:
    """Whether several documents read the same rows: not the root's, nor those of its own collections."""
    return node.parent is not None and not (node.parent.parent is None and isinstance(node.hop, Collection))


def _slot_of(node: Node, column: str) -> tuple[Slot, int]:
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
