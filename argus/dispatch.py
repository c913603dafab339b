"""From notifications to work: documents to build at once, climbs to documents further away, handlers to call."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from argus.climb import Target
from argus.context import row_of
from argus.handle import Call
from argus.registry import Application
from proto.events import Cause, Notification, RowChange


@dataclass(frozen=True, slots=True)
class Spread:
    """A changed row and the documents above it, still to be found. moved: parents that the row has left (N2)."""

    target: Target
    key: bytes
    moved: tuple[bytes, ...]
    cause: Cause


@dataclass(slots=True)
class Work:
    """What a batch of notifications asks for. requests: document type -> key -> cause (of the newest change)."""

    requests: dict[str, dict[bytes, Cause]] = field(default_factory=dict)
    spreads: list[Spread] = field(default_factory=list)
    calls: dict[Call, tuple[frozenset[str], Cause]] = field(default_factory=dict)
    rows: list[tuple[str, bytes, Cause]] = field(default_factory=list)


class Dispatcher:
    """Knows which columns matter to whom. dynamic: some builds read rows by themselves, so every changed row is
    looked up."""

    def __init__(self, application: Application, targets: Iterable[Target], dynamic: bool) -> None:
        self._targets: dict[str, list[Target]] = {}
        for target in targets:
            self._targets.setdefault(target.table, []).append(target)
        self._observers: dict[str, list[tuple[str, frozenset[str]]]] = {}
        for name, spec in application.handlers.items():
            for observed in spec.observes:
                table, _, column = observed.partition(".")
                self._observers.setdefault(table, []).append((name, frozenset({column} if column else ())))
        self._dynamic = dynamic

    def add(self, work: Work, commit_timestamp: int, notification: Notification) -> None:
        """Adds what one notification asks for; of several changes of one thing the newest stays."""
        cause = Cause(
            commit_timestamp,
            notification.lane,
            notification.commit_ms,
            notification.capture_ms,
            notification.apply_ms,
        )
        for change in notification.changes:
            for target in self._targets.get(change.table, ()):
                if change.columns and target.columns.isdisjoint(change.columns):
                    continue
                if target.hops:
                    work.spreads.append(Spread(target, change.key, _moved(target, change), cause))
                else:
                    work.requests.setdefault(target.document, {})[change.key] = cause
            if change.table in self._observers:
                self._call(work, change, cause)
            if self._dynamic:
                work.rows.append((change.table, change.key, cause))

    def _call(self, work: Work, change: RowChange, cause: Cause) -> None:
        for name, columns in self._observers[change.table]:
            if change.columns and columns and columns.isdisjoint(change.columns):
                continue
            call = Call(name, row_of(change.table, change.key))
            before = work.calls.get(call)
            seen = frozenset(change.columns) | (before[0] if before else frozenset())
            work.calls[call] = (seen, cause)


def _moved(target: Target, change: RowChange) -> tuple[bytes, ...]:
    """The parents that a row left, when the first hop goes from a child to the owner of its collection."""
    hop = target.hops[0]
    old, _ = (change.references or {}).get(f"{hop.table}.{hop.name}", (None, None))
    return () if old is None else (old,)
