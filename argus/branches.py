"""Branches: what lies behind one reference of a document's root, read and kept whole, because many documents have it.

Ten ads of one group share the group, its campaign, its budget and all that is behind these. As long as nothing was
committed to any of their tables (Reads.change_marks) a document needs one look-up for them all. What grows is bounded:
when there are too many, all are forgotten.
"""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from argus.parent_keys import ParentKeys, Values
from argus.plan import Node
from argus.tree import Marks, Tree
from proto.flows.model import Reference
from repo.api import Reads
from repo.rows import GroupReader

BRANCHES_MAX = 20_000


class Branch(list[Any]):
    """Values by Slot.at. missing, footprint: see TreeRows; content: what argus.content has made of it, None: nothing
    yet."""

    __slots__ = ("content", "footprint", "missing")

    content: bytes | None
    footprint: bytes
    missing: list[str] | None


class Branches:
    """All of one reference. tables: those whose change marks it needs."""

    def __init__(self, nodes: Sequence[Node], readers: Mapping[tuple[str, str], GroupReader]) -> None:
        """nodes: of the branch, the top first."""
        top = nodes[0]
        assert top.parent is not None and isinstance(top.hop, Reference)
        self._tree = Tree(nodes, readers)
        self._parents = ParentKeys(top, top.parent, top.hop)
        self._known: dict[bytes | None, Branch] = {}
        self._marks: bytes | tuple[bytes, ...] = ()
        self.tables = self._tree.tables
        self._marks_of: Callable[[Marks], bytes | tuple[bytes, ...]] = itemgetter(*self.tables)

    def read(
        self, snapshot: Reads, keys: Sequence[bytes], slots: Sequence[Sequence[Values]], prefix: bytes, marks: Marks
    ) -> list[Branch]:
        """For each document its branch. keys, slots: of the root rows; prefix: see Tree.read."""
        tops = self._parents.of(keys, slots, prefix)
        current = self._marks_of(marks)
        if current != self._marks or len(self._known) > BRANCHES_MAX:
            self._known, self._marks = {}, current
        known = self._known
        missing = [key for key in dict.fromkeys(tops) if key not in known]
        if missing:
            found = self._tree.read(snapshot, missing, prefix, marks)
            for key, values, gone, footprint in zip(
                missing,
                zip(*found.slots, strict=True),
                found.missing,
                map(b"".join, zip(*found.footprints, strict=True)),
                strict=True,
            ):
                branch = known[key] = Branch(values)
                branch.missing, branch.footprint, branch.content = gone, footprint, None
        return list(map(known.__getitem__, tops))
