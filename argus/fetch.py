"""Reads all that a batch of documents needs: the rows of each document, and the branches that it shares with others."""

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any

from argus.branches import Branch, Branches
from argus.parent_keys import Values, source_part
from argus.plan import OWN, Plan, Slot
from argus.tree import Tree
from proto.values import CONVERT
from repo.api import Reads
from repo.rows import GroupReader


class Fetched:
    """What a batch needs, by document.

    own         by Slot.at, of the slots in no branch: the values (for a node below a collection: a list of them)
    branches    by number of the branch
    signals     what each signal said, as far as somebody has added it
    exists      the root row is there
    missing     the paths whose row is not there, or could not be stored; None: nothing is missing
    footprints  the rows that were read, in parts whose join has the order of Plan.places (argus.lineage)
    """

    __slots__ = ("_slots", "_table", "branches", "exists", "footprints", "missing", "own", "signals")

    def __init__(
        self,
        table: Sequence[Slot],
        own: list[list[Any]],
        branches: list[list[Branch]],
        exists: list[bool],
        missing: list[list[str] | None],
        footprints: list[list[bytes]],
    ) -> None:
        """table: the plan's slots."""
        self._table, self._slots = table, None
        self.own, self.branches, self.exists = own, branches, exists
        self.missing, self.footprints = missing, footprints
        self.signals: list[list[Any]] = []

    _slots: list[list[Any]] | None

    @property
    def slots(self) -> list[list[Any]]:
        """The values of all slots by number, then those of signals: the arguments of Compiled.compute."""
        if self._slots is None:
            self._slots = [*(self.slot(number) for number in range(len(self._table))), *self.signals]
        return self._slots

    def slot(self, number: int) -> list[Any]:
        """The values of one slot."""
        slot = self._table[number]
        if slot.branch == OWN:
            return self.own[slot.at]
        return [branch[slot.at] for branch in self.branches[slot.branch]]


class Fetch:
    """Compiled reads of one plan. readers: (table, group) -> GroupReader."""

    def __init__(self, plan: Plan, readers: Mapping[tuple[str, str], GroupReader]) -> None:
        self._slots = plan.slots
        self._own = Tree(plan.of_branch(OWN), readers)
        self._branches = [Branches(plan.of_branch(number), readers) for number in range(len(plan.branches))]
        marked = [*self._own.tables, *(table for one in self._branches for table in one.tables)]
        self._marked = tuple(dict.fromkeys(marked))

    def rows(self, snapshot: Reads, documents: Sequence[bytes]) -> Fetched:
        """documents: keys of root rows, without repetition."""
        marks = dict(zip(self._marked, snapshot.change_marks(self._marked), strict=True))
        prefix = _one_source(documents)
        own = self._own.read(snapshot, documents, prefix, marks)
        branches = [one.read(snapshot, documents, own.slots, prefix, marks) for one in self._branches]
        noted = [[branch.footprint for branch in column] for column in branches]
        footprints = [*own.footprints, *noted]
        for column in branches:
            for at, branch in enumerate(column):
                if branch.missing is not None:
                    own.missing[at] = [*(own.missing[at] or ()), *branch.missing]
        exists = [key not in own.absent for key in documents]
        return Fetched(self._slots, own.slots, branches, exists, own.missing, footprints)


def _one_source(documents: Sequence[bytes]) -> bytes:
    """The encoded source of all documents; b"" when they are of several."""
    prefix = source_part(documents[0]) if documents else b""
    return prefix if all(map(bytes.startswith, documents, repeat(prefix))) else b""


def row_maker(columns: Sequence[str], types: Sequence[str]) -> Callable[[Values], dict[str, Any]]:
    """Makes of stored values a row as computed fields and handlers get it."""
    converted = [(name, CONVERT[kind]) for name, kind in zip(columns, types, strict=True) if kind in CONVERT]

    def make(values: Values) -> dict[str, Any]:
        row = dict(zip(columns, values, strict=True))
        for name, convert in converted:
            stored = row[name]
            if stored is not None:
                row[name] = convert(stored)
        return row

    return make
