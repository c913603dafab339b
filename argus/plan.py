"""What a document type reads: a tree of tables, from its root along references and collections; and signals."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from proto.flows.model import Collection, Flows, Reference, Signal, Table
from proto.flows.paths import Hop, Path, resolve

OWN = -1
"""In place of a branch: the root, its collections, and what these lead to."""


@dataclass(slots=True)
class Slot:
    """The values of one group of one node, aligned with `columns`. number: its place among all slots; at: its place
    among those of its branch (or of what is in no branch)."""

    number: int
    group: str
    columns: tuple[str, ...]
    branch: int
    at: int


@dataclass(slots=True)
class Node:
    """One table of the tree. path: the hops' names joined by dots; "" for the root. many: below a collection, so its
    values are lists.

    branch: number of the branch that it is in; OWN: none.
    slots: by group; the group that holds the key is always among them, because it says whether the row is there.
    used: columns that the document depends on, those that hops start from included.
    """

    path: str
    table: Table
    hop: Hop | None
    parent: "Node | None"
    many: bool
    branch: int
    slots: dict[str, Slot] = field(default_factory=dict)
    children: dict[str, "Node"] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def ordered_slots(self) -> list[Slot]:
        """The group that says whether the row is there comes first."""
        return sorted(self.slots.values(), key=lambda slot: slot.group != self.table.key_group())

    def upward(self) -> tuple[Hop, ...]:
        """The hops from this node to the root, the nearest first."""
        return () if self.parent is None or self.hop is None else (self.hop, *self.parent.upward())


@dataclass(frozen=True, slots=True)
class SignalKey:
    """A signal that the document reads, and the place of its key among the fetched values."""

    signal: Signal
    slot: Slot
    at: int


class Plan:
    """The tree of one document type. nodes: parents before children; slots: in the order of their numbers; signals: in
    the order in which they were added.

    A branch is what lies behind one reference of the root: many documents have the same, whole. branches: the nodes
    where they begin.
    """

    def __init__(self, flows: Flows, root: str) -> None:
        self._flows = flows
        self.root = Node("", flows.tables[root], None, None, False, OWN)
        self.branches: list[Node] = []
        self.nodes: list[Node] = [self.root]
        self.slots: list[Slot] = []
        self.signals: list[SignalKey] = []
        self._slot(self.root, self.root.table.key_group())

    def add(self, path: Path) -> tuple[Node, Slot | None, int]:
        """Makes room for a path: its node, and for a column its slot and position (for rows: no slot, all groups are
        read)."""
        node = self.root
        for hop in path.hops:
            node = node.children.get(hop.name) or self._child(node, hop)
        if path.column is None:
            self._whole(node)
            return node, None, -1
        node.used.add(path.column.name)
        slot = self._slot_of_column(node, path.column.name)
        return node, slot, slot.columns.index(path.column.name)

    def add_signal(self, signal: Signal) -> int:
        """Makes room for a signal and its key; its number."""
        for number, known in enumerate(self.signals):
            if known.signal is signal:
                return number
        _, slot, at = self.add(resolve(self._flows, self.root.table.name, signal.key))
        assert slot is not None
        self.signals.append(SignalKey(signal, slot, at))
        return len(self.signals) - 1

    def of_branch(self, branch: int) -> list[Node]:
        """Its nodes; of OWN: those in no branch."""
        return [node for node in self.nodes if node.branch == branch]

    def places(self) -> list[Node]:
        """The nodes in the order in which a fetch notes what it has read: parents before children here, too."""
        return [node for branch in range(OWN, len(self.branches)) for node in self.of_branch(branch)]

    def dependencies(self) -> Iterable[tuple[Node, frozenset[str]]]:
        """Every node with the columns whose change changes documents."""
        return [(node, frozenset(node.used)) for node in self.nodes]

    def _child(self, parent: Node, hop: Hop) -> Node:
        table = self._flows.tables[hop.parent if isinstance(hop, Reference) else hop.child]
        path = f"{parent.path}.{hop.name}" if parent.path else hop.name
        branch = parent.branch
        if parent is self.root and isinstance(hop, Reference):
            branch = len(self.branches)
        node = Node(path, table, hop, parent, parent.many or isinstance(hop, Collection), branch)
        if branch == len(self.branches):
            self.branches.append(node)
        parent.children[hop.name] = node
        self.nodes.append(node)
        self._slot(node, node.table.key_group())
        starts = parent if isinstance(hop, Reference) else node  # the table that holds the hop's columns
        for column in hop.columns:
            starts.used.add(column)
            self._slot_of_column(starts, column)
        if isinstance(hop, Collection) and hop.order_by:
            node.used.add(hop.order_by)
        return node

    def _whole(self, node: Node) -> None:
        node.used.update(node.table.columns)
        for group in node.table.groups():
            self._slot(node, group)

    def _slot_of_column(self, node: Node, column: str) -> Slot:
        for group, columns in node.table.groups().items():
            if column in columns:
                return self._slot(node, group)
        raise KeyError(column)

    def _slot(self, node: Node, group: str) -> Slot:
        slot = node.slots.get(group)
        if slot is None:
            at = sum(1 for known in self.slots if known.branch == node.branch)
            slot = node.slots[group] = Slot(len(self.slots), group, node.table.groups()[group], node.branch, at)
            self.slots.append(slot)
        return slot
