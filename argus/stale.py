"""Notifications that are dropped because they are too old: written down by row, and healed by offering them again.

A dropped notification leaves the documents that read its row as they are, and its handlers uncalled. What is written
down of a row is all that its dropped notifications said, the parents that it has left among it; healing climbs to the
documents from there, as the notification would have.
"""

from collections.abc import Callable, Sequence
from itertools import zip_longest

from argus.jobs import Jobs
from proto.errors import UnavailableError
from proto.events import Notification, RowChange, decode_notification, encode
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.processor import Drop, Item, Outcome, Processor, Retry
from repo.api import Repo, Transaction
from repo.drops import ARGUS, DropBook, DropOrder, DroppedRow, Piles, dropped_rows
from repo.system import SOURCES

_ATTEMPTS_MAX = 8
_PER_MS = 1_000_000


class StaleNotifications:
    """A Processor over notifications that a drop order covers; those that are not stale go where they would have gone.

    order: of a lane, None when there is none.
    """

    def __init__(self, repo: Repo, argus: Processor, clock: Clock, order: Callable[[Lane], DropOrder | None]) -> None:
        self._repo, self._argus, self._clock, self._order = repo, argus, clock, order

    def process(self, batch: Sequence[Item]) -> Sequence[Outcome]:
        """The batch is of one lane."""
        order = self._order(batch[0].lane)
        before = 0 if order is None else int(order.before_ms * _PER_MS)
        stale = [int.from_bytes(item.value[:8], "big") < before for item in batch]
        fresh = [item for item, is_stale in zip(batch, stale, strict=True) if not is_stale]
        if order is not None and len(fresh) < len(batch):
            self._drop([item for item, is_stale in zip(batch, stale, strict=True) if is_stale], order)
        others = iter(self._argus.process(fresh) if fresh else ())
        return [Drop(order.reason) if is_stale and order is not None else next(others) for is_stale in stale]

    def _drop(self, batch: Sequence[Item], order: DropOrder) -> None:
        now_ms = self._clock.now_ms()
        book = DropBook(ARGUS)
        for item in batch:
            change, notification = decode_notification(item.value)
            for row in notification.changes:
                if row.table != SOURCES:  # only wakes
                    book.drop(_dropped(row, change, notification.lane, order, now_ms), at=change)
        _commit(self._repo, book, now_ms)


class Healing:
    """Offers what was dropped again, some rows at a time, through the Low lane."""

    def __init__(self, repo: Repo, argus: Processor, jobs: Jobs, clock: Clock) -> None:
        self._repo, self._argus, self._jobs, self._clock = repo, argus, jobs, clock
        self._piles = Piles(repo)
        self._after = b""

    def open(self) -> int:
        """Rows that are not healed."""
        return sum(pile.open for pile in self._piles.now() if pile.stage == ARGUS)

    def step(self, limit: int) -> int:
        """Heals at most `limit` rows, in the caller's group; returns how many it looked at.

        Raises UnavailableError when their documents are in conflict: to be tried again.
        """
        with self._repo.snapshot() as snapshot:
            rows, self._after = dropped_rows(snapshot, ARGUS, after=self._after, limit=limit)
            newest = snapshot.timestamp
        waiting = [row for row in rows if not row.healed_ms]
        if not waiting:
            return len(rows)
        # A new change, so that a handler that has seen a later one is called all the same: it was not told what this
        # row had left. Fan-outs that go on as jobs hold the watermark where the drop holds it.
        message = newest.to_bytes(8, "big") + encode(
            Notification(Lane.LOW, [one for row in waiting for one in _said(row)])
        )
        held = min((pile.at for pile in self._piles.now() if pile.stage == ARGUS and pile.at), default=0)
        with self._jobs.held_at(held):
            (outcome,) = self._argus.process([Item(message, Lane.LOW, 1, "heal")])
        if isinstance(outcome, Retry):
            raise UnavailableError(f"{len(waiting)} dropped rows are healed later: {outcome.reason}")
        book = DropBook(ARGUS)
        for row in waiting:
            book.heal(row.table, row.key)
        _commit(self._repo, book, self._clock.now_ms())
        return len(rows)


def _dropped(row: RowChange, change: int, lane: int, order: DropOrder, now_ms: float) -> DroppedRow:
    moves = [(name, old, new) for name, (old, new) in (row.references or {}).items()]
    return DroppedRow(
        stage=ARGUS, source="", table=row.table, key=row.key, lane=lane, upto=change, dropped_ms=now_ms,
        reason=order.reason, columns=row.columns, moves=moves,
    )  # fmt: skip


def _said(row: DroppedRow) -> list[RowChange]:
    """Changes that say all that the dropped ones said: several when the row has moved more than once."""
    moves: dict[str, list[tuple[bytes | None, bytes | None]]] = {}
    for name, old, new in row.moves:
        moves.setdefault(name, []).append((old, new))
    layers = [
        {name: move for name, move in zip(moves, layer, strict=True) if move is not None}
        for layer in zip_longest(*moves.values())
    ]
    return [RowChange(row.table, row.key, row.columns, layer or None) for layer in layers or [{}]]


def _commit(repo: Repo, book: DropBook, now_ms: float) -> None:
    """Only this process writes this book; a conflict passes."""
    for _ in range(_ATTEMPTS_MAX):
        with repo.snapshot() as snapshot:
            transaction = Transaction(snapshot.timestamp)
            book.write(snapshot, transaction, now_ms)
        if not transaction.writes or repo.commit([transaction])[0].committed:
            return
    raise UnavailableError("what is dropped could not be written down: another process writes it all the time")
