"""The timestamp oracle as its clients see it, whoever it is: in this process, by gRPC, or Omid's.

An *id* is what a transaction's tentative cells carry as their version; its *snapshot* is what it reads at. They are
apart: id > snapshot >= the last commit of every cell that it may write, so that the order of versions is the order of
commits, and begin never waits for a flush.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple, Protocol

from repo.api import OutcomeKind

TIMESTAMP_STEP: Final = 50
"""Every id and commit timestamp is a multiple. Omid's transactions may write at start, start + 1, ... start + 49 (its
checkpoints), so its clients look a version up in the commit table under the multiple below it: they would take the
commit of another of our ids for it, were there two within one step (ops/decisions, of that name)."""


class Begun(NamedTuple):
    """A transaction's timestamps."""

    id: int
    snapshot: int


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """written, checked: cell ids (repo.hbase.cell_ids), signed 64 bit."""

    id: int
    snapshot: int
    written: tuple[int, ...]
    checked: tuple[int, ...] = ()


class Decision(NamedTuple):
    """timestamp: of this commit when COMMITTED, of the other one when CONFLICT; cell_id: the first that conflicts.

    UNKNOWN: the answer was lost. It is never sent again; `settle` tells.
    """

    kind: OutcomeKind
    timestamp: int = 0
    cell_id: int = 0


class Fate(Enum):
    """What became of an id. COMMITTED and ABORTED are final."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNDECIDED = "undecided"
    SWEPT = "swept"
    """Its commit-table row may have been removed: the shadow cell at version = id decides (F8)."""
    NOT_MINE = "not mine"
    """Above everything that this oracle has given out: ask another one, later."""


class Resolution(NamedTuple):
    """commit_timestamp: when COMMITTED."""

    fate: Fate
    commit_timestamp: int = 0


class TimestampOracle(Protocol):
    """Answers for many at once. Raises UnavailableError when no oracle answers, FencedError never: a client follows the
    leader. Safe to use from several threads."""

    def snapshot(self, at_least: int = 0) -> int:
        """The newest one, without an id. Raises as `begin`."""
        ...

    def begin(self, count: int = 1, at_least: int = 0) -> list[Begun]:
        """All with the same snapshot. Raises UnavailableError when this oracle can't reach `at_least` (F13, N1)."""
        ...

    def commit(self, requests: Sequence[CommitRequest]) -> list[Decision]:
        """In the order of the list, each on its own; answered when what was decided is durable."""
        ...

    def resolve(self, ids: Sequence[int]) -> list[Resolution]:
        """What is known; changes nothing. COMMITTED only when it is durable."""
        ...

    def settle(self, ids: Sequence[int]) -> list[Resolution]:
        """As `resolve`, but an undecided id of this oracle's epoch is refused for ever and comes back ABORTED."""
        ...
