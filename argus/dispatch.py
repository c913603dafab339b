"""From notifications to work: documents to build at once, climbs to documents further away, handlers to call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from argus.api import RowRef
from argus.calls import Call, Pending
from argus.climb import Frame, Target, first_frames
from argus.context import row_of
from argus.registry import Application
from proto.events import Cause, Notification, RowChange
from proto.flows.model import Collection, Flows
from repo.system import collection_index


@dataclass(frozen=True, slots=True)
class Spread:
    """A changed row and the documents above it, still to be found.

    moved   parents that the row has left (N2)
    cause   of the newest change; since: commit timestamp of the oldest
    level   hops of the target that are done: 1 for the owner of the collection that a changed row is in
    """

    target: Target
    key: bytes
    moved: tuple[bytes, ...]
    cause: Cause
    since: int
    level: int = 0

    def frames(self) -> list[Frame]:
        """Where its climb begins."""
        if self.level:
            return [Frame(self.level, self.key)]
        return first_frames(self.target.hops, self.key, self.moved)

    def table(self) -> str:
        """That of its row."""
        hop = self.target.hops[0]
        return hop.table if self.level and isinstance(hop, Collection) else self.target.table

    def join(self, spreads: "dict[bytes, Spread]") -> None:
        """Adds it; to the one of the same row, where there is one."""
        known = spreads.get(self.key)
        if known is None:
            spreads[self.key] = self
            return
        moved = tuple(dict.fromkeys((*known.moved, *self.moved)))
        cause = max(known.cause, self.cause, key=_change)
        spreads[self.key] = Spread(self.target, self.key, moved, cause, min(known.since, self.since), self.level)


@dataclass(slots=True)
class Work:
    """What a batch of notifications asks for. Of several changes of one thing the newest stays, in whatever order they
    come.

    requests   document type -> key -> cause
    spreads    target -> changed row -> what is to be found
    """

    requests: dict[str, dict[bytes, Cause]] = field(default_factory=dict)
    spreads: dict[Target, dict[bytes, Spread]] = field(default_factory=dict)
    calls: dict[Call, Pending] = field(default_factory=dict)

    def request(self, document_type: str, keys: Iterable[bytes], cause: Cause) -> None:
        """Asks for documents."""
        requests = self.requests.setdefault(document_type, {})
        for key in keys:
            known = requests.get(key)
            if known is None or known.change < cause.change:
                requests[key] = cause

    def spread(self, target: Target, key: bytes, moved: tuple[bytes, ...], cause: Cause) -> None:
        """Asks for the documents above a row."""
        Spread(target, key, moved, cause, cause.change).join(self.spreads.setdefault(target, {}))

    def call(self, call: Call, pending: Pending) -> None:
        """Asks for a handler."""
        known = self.calls.get(call)
        self.calls[call] = pending if known is None else known.and_also(pending)


class Dispatcher:
    """Knows which columns matter to whom."""

    def __init__(self, application: Application, targets: Iterable[Target]) -> None:
        self._targets: dict[str, list[Target]] = {}
        for target in targets:
            self._targets.setdefault(target.table, []).append(target)
        self._observers: dict[str, dict[str, frozenset[str]]] = {}
        for name, spec in application.handlers.items():
            for observed in spec.observes:
                table, _, column = observed.partition(".")
                columns = self._observers.setdefault(table, {})
                wanted = frozenset({column} if column else application.flows.tables[table].columns)
                columns[name] = columns.get(name, frozenset()) | wanted
        self._links = _links(application.flows)
        self._members = {
            f"{item.table}.{item.name}": self._targets[collection_index(item)]
            for table in application.flows.tables.values()
            for item in table.collections.values()
            if collection_index(item) in self._targets
        }

    def add(self, work: Work, commit_timestamp: int, notification: Notification) -> None:
        """Adds what one notification asks for."""
        cause = Cause(
            commit_timestamp,
            notification.lane,
            notification.commit_ms,
            notification.capture_ms,
            notification.apply_ms,
        )
        targets, observers = self._targets, self._observers
        for change in notification.changes:
            columns = change.columns
            for target in targets.get(change.table, ()):
                if columns and target.columns.isdisjoint(columns):
                    continue
                if target.hops:
                    work.spread(target, change.key, _moved(target, change), cause)
                else:
                    work.request(target.document, (change.key,), cause)
            if change.references and self._members:
                self._collections(work, change.references, cause)
            if change.table in observers:
                self._call(work, change, cause)

    def _collections(
        self, work: Work, references: Mapping[str, tuple[bytes | None, bytes | None]], cause: Cause
    ) -> None:
        """Documents that have read a collection which now has another row, or one less."""
        for name, (old, new) in references.items():
            for target in self._members.get(name, ()):
                for parent in dict.fromkeys((old, new)):
                    if parent is not None:
                        work.spread(target, parent, (), cause)

    def _call(self, work: Work, change: RowChange, cause: Cause) -> None:
        for name, columns in self._observers[change.table].items():
            if change.columns and columns.isdisjoint(change.columns):
                continue
            row = row_of(change.table, change.key)
            work.call(Call(name, row), Pending(cause, frozenset(change.columns), self._left(change)))

    def _left(self, change: RowChange) -> frozenset[RowRef]:
        """Rows that the changed row referred to, or in whose collections it was, and is no longer."""
        if not change.references:
            return frozenset()
        return frozenset(
            row_of(table, old)
            for name, (old, new) in change.references.items()
            if old is not None and old != new and (table := self._links.get((change.table, name))) is not None
        )


def _links(flows: Flows) -> dict[tuple[str, str], str]:
    """(child table, name as in RowChange.references) -> parent table."""
    links = {
        (table.name, reference.name): reference.parent
        for table in flows.tables.values()
        for reference in table.references.values()
    }
    for table in flows.tables.values():
        links.update({(item.child, f"{table.name}.{item.name}"): table.name for item in table.collections.values()})
    return links


def _moved(target: Target, change: RowChange) -> tuple[bytes, ...]:
    """The parents that a row left, when the first hop goes from a child to the owner of its collection."""
    hop = target.hops[0]
    if not change.references or not isinstance(hop, Collection):
        return ()
    old, _ = change.references.get(f"{hop.table}.{hop.name}", (None, None))
    return () if old is None else (old,)


def _change(cause: Cause) -> int:
    return cause.change
