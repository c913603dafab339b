"""How far one partition is processed: a state machine over offsets, without log or clock.

Terms. The *position* is the lowest unfinished offset; it is what is saved. Offsets from the position up to `taken` have
been offered; those of them that are *finished* are remembered until the position passes them; those that *wait* are
offered again when they are due. After a crash all from the saved position on is offered again, finished ones too.

An *ordered* partition offers nothing beyond a message that waits; an unordered one goes on, at most `outstanding_max`
beyond the position (the bound on what is remembered).

A message is offered *alone* when a batch with it raised: then the one that is to blame is found.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Waiting(NamedTuple):
    """attempts: how often it was offered so far; failures: how often it, alone, made the processor raise."""

    due_ms: float
    attempts: int
    failures: int


class Offer(NamedTuple):
    """Offsets to process now, ascending among the new ones. alone: nothing else may be in their batch."""

    offsets: Sequence[int]
    alone: bool


NOTHING = Offer((), False)


class Progress:
    """See above. Between `begin` and `committed` or `undone` all changes are tentative."""

    __slots__ = (
        "_before", "_finished", "_next_due_ms", "_ordered", "_outstanding_max", "_suspect_until", "_waiting",
        "position", "taken",
    )  # fmt: skip

    def __init__(self, position: int, *, ordered: bool, outstanding_max: int) -> None:
        self.position = self.taken = position
        self._ordered = ordered
        self._outstanding_max = outstanding_max
        self._finished: set[int] = set()
        self._waiting: dict[int, Waiting] = {}
        self._next_due_ms = float("inf")
        self._suspect_until = 0  # offsets below it are offered alone
        self._before: tuple[int, int, set[int], dict[int, Waiting], float] | None = None

    def offer(self, now_ms: float, end: int, limit: int) -> Offer:
        """What to process now, of what is below `end`. Changes nothing: `begin` says that it is being done."""
        due = self._due(now_ms) if now_ms >= self._next_due_ms else []
        if due and self._is_suspect(due[0]):
            return Offer(due[:1], alone=True)
        if self._ordered:
            if self._waiting and not due:
                return NOTHING
            begin, retried = self.position, []
        else:
            begin, retried = self.taken, [offset for offset in due if not self._is_suspect(offset)][:limit]
            end = min(end, self.position + self._outstanding_max)
        if begin < min(end, self._suspect_until):
            return Offer(retried, alone=False) if retried else Offer((begin,), alone=True)
        fresh = range(begin, min(end, begin + limit - len(retried)))
        return Offer((*retried, *fresh) if retried else fresh, alone=False)

    def begin(self, offsets: Sequence[int]) -> None:
        """These are being processed, in a group that may still be undone."""
        if self._before is None:
            self._before = (self.position, self.taken, set(self._finished), dict(self._waiting), self._next_due_ms)
        self.taken = max(self.taken, offsets[-1] + 1)

    def attempts(self, offset: int) -> int:
        """How often it was offered before."""
        waiting = self._waiting.get(offset)
        return waiting.attempts if waiting is not None else 0

    def failures(self, offset: int) -> int:
        """How often it raised when it was alone."""
        waiting = self._waiting.get(offset)
        return waiting.failures if waiting is not None else 0

    def finish(self, offsets: Sequence[int]) -> None:
        """Done with these, whatever the outcome."""
        in_a_row = offsets[0] == self.position and offsets[-1] - offsets[0] == len(offsets) - 1
        if in_a_row and not self._waiting and not self._finished:
            self.position = offsets[-1] + 1
            return
        self._finished.update(offsets)
        for offset in offsets:
            self._waiting.pop(offset, None)
        while self.position in self._finished:
            self._finished.remove(self.position)
            self.position += 1

    def again(self, offset: int, due_ms: float) -> None:
        """Offer it again at due_ms. In an ordered partition nothing above it counts as offered any more."""
        self._wait(offset, due_ms, self.failures(offset))

    def suspect(self, offsets: Sequence[int]) -> None:
        """The processor raised on a batch with these (after `undone`): from now on each is tried alone."""
        self._suspect_until = max(self._suspect_until, max(offsets) + 1)

    def raised(self, offset: int, due_ms: float) -> None:
        """The processor raised on this one alone (after `undone`)."""
        self._wait(offset, due_ms, self.failures(offset) + 1)

    def skip_to(self, offset: int) -> int:
        """Messages below `offset` are no longer retained: goes on behind them; returns how many were never finished."""
        lost = sum(1 for gone in range(self.position, offset) if gone not in self._finished)
        self._finished = {finished for finished in self._finished if finished >= offset}
        self._waiting = {waiting: entry for waiting, entry in self._waiting.items() if waiting >= offset}
        self.position = offset
        self.taken = max(self.taken, offset)
        return lost

    def committed(self) -> None:
        """The group is durable."""
        self._before = None

    def undone(self) -> None:
        """The group was undone: what was offered in it was not."""
        if self._before is not None:
            self.position, self.taken, self._finished, self._waiting, self._next_due_ms = self._before
            self._before = None

    def due_ms(self) -> float:
        """When the next waiting message is due; infinity when none waits."""
        return self._next_due_ms if self._waiting else float("inf")

    def waiting(self) -> int:
        """How many messages wait for another attempt."""
        return len(self._waiting)

    def _wait(self, offset: int, due_ms: float, failures: int) -> None:
        self._waiting[offset] = Waiting(due_ms, self.attempts(offset) + 1, failures)
        self._next_due_ms = min(self._next_due_ms, due_ms)
        self.taken = offset if self._ordered else max(self.taken, offset + 1)

    def _due(self, now_ms: float) -> list[int]:
        due = sorted(offset for offset, waiting in self._waiting.items() if waiting.due_ms <= now_ms)
        if not due:
            self._next_due_ms = min((waiting.due_ms for waiting in self._waiting.values()), default=float("inf"))
        return due

    def _is_suspect(self, offset: int) -> bool:
        return self._waiting[offset].failures > 0 or offset < self._suspect_until
