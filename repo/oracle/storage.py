"""What the oracle needs of a store: a chain of states that only its owner can lengthen, and the commit table."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

Batch = tuple[tuple[int, int], ...]
"""(id, commit timestamp) of each transaction that one flush commits, in commit order."""


class Taken(NamedTuple):
    """What a take-over found. epoch: every timestamp that any predecessor gave out is below it; ceiling: what the new
    owner gives out stays below it; batch: the predecessor's last one, whose commit-table rows may be missing."""

    epoch: int
    ceiling: int
    batch: Batch


class StateChain(Protocol):
    """Each link replaces the one before, and only if that is still the last one: so one owner at a time lengthens it,
    whatever clocks, pauses and late writes do."""

    def take_over(self, now: int, window: int) -> Taken:
        """Makes the caller the owner; everybody before is fenced by it. The first ceiling lies `window` above `now`, or
        above the epoch if that is later."""
        ...

    def advance(self, ceiling: int, batch: Batch) -> None:
        """The next link. Raises FencedError when somebody else has taken over: nothing of it has happened then, and
        never will."""
        ...


class CommitTable(Protocol):
    """Each call raises UnavailableError when its outcome is not known."""

    def put(self, batch: Batch) -> None:
        """The same bytes however often it is repeated."""
        ...

    def look_up(self, ids: Sequence[int]) -> dict[int, int]:
        """Commit timestamps by id, of those that have a row."""
        ...


class OracleStorage(NamedTuple):
    """sweep_horizon: below it commit-table rows may have been removed; read after a row was found to be absent (F8)."""

    chain: StateChain
    commit_table: CommitTable
    sweep_horizon: Callable[[], int] = lambda: 0
