"""The rows of a tree of nodes for many keys of its top: one storage call a node and group, whatever the number of
keys."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from argus.footprints import grouped, of_lists
from argus.parent_keys import ParentKeys
from argus.plan import Node
from argus.shared_rows import Children, Rows
from proto.flows.model import Collection, Reference
from repo.api import Reads
from repo.rows import GroupReader

Marks = Mapping[str, bytes]


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


def _is_shared(node: Node) -> bool:
    """Whether several documents read the same rows: not the root's, nor those of its own collections."""
    return node.parent is not None and not (node.parent.parent is None and isinstance(node.hop, Collection))
