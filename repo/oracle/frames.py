"""What many clients ask the oracle in one go, and what it answers: the values that a frame is made of, on any wire."""

from collections.abc import Sequence
from typing import NamedTuple

from proto.errors import InvalidMessageError
from repo.oracle.port import TIMESTAMP_STEP, Begun, CommitRequest, Decision, Resolution

IDS_A_BEGIN_MAX = 1_000_000
"""Each takes 9 bytes of the oracle until it is decided or too old."""


class BeginRequest(NamedTuple):
    """What a client wants to begin.

    id_count: how many ids, at most IDS_A_BEGIN_MAX; 0: only the snapshot is wanted
    at_least: the highest commit timestamp that the client knows (F13, N1)
    """

    id_count: int = 1
    at_least: int = 0


class BegunRange(NamedTuple):
    """`id_count` ids from first_id on, TIMESTAMP_STEP apart, all with one snapshot."""

    first_id: int
    id_count: int
    snapshot: int

    def expanded(self) -> list[Begun]:
        return [Begun(self.first_id + at * TIMESTAMP_STEP, self.snapshot) for at in range(self.id_count)]


class Frame(NamedTuple):
    """Requests of many clients. Commits are decided in their order, before settles and resolves of the same frame."""

    begins: Sequence[BeginRequest] = ()
    commits: Sequence[CommitRequest] = ()
    resolves: Sequence[int] = ()
    settles: Sequence[int] = ()


class Replies(NamedTuple):
    """One for each request, in the order of the frame.

    None for a begin that can't reach its `at_least`, or wants too many ids.
    """

    begins: list[BegunRange | None]
    commits: list[Decision]
    resolves: list[Resolution]
    settles: list[Resolution]


class Decided(NamedTuple):
    """Replies as far as the oracle's memory goes. None for an id that it will never decide: the commit table knows."""

    begins: list[BegunRange | None]
    commits: list[Decision]
    resolves: list[Resolution | None]
    settles: list[Resolution | None]

    @property
    def is_all(self) -> bool:
        """Nothing is left for the commit table."""
        return None not in self.resolves and None not in self.settles


def require_write_sets(requests: Sequence[CommitRequest]) -> None:
    """For clients, before they send. Raises InvalidMessageError for a commit that writes nothing: Omid would give it a
    second commit timestamp when it is sent again, so the oracle refuses it."""
    for request in requests:
        if not request.written:
            raise InvalidMessageError(f"transaction {request.id} writes nothing: don't send it to the oracle")
