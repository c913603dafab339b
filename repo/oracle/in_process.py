"""The oracle port on an oracle in the same process, for tests, the simulator and measurements."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from proto.errors import FencedError, UnavailableError
from repo.api import OutcomeKind
from repo.oracle.frames import BeginRequest, BegunRange, Frame, Replies, require_write_sets
from repo.oracle.oracle import Oracle
from repo.oracle.port import Begun, CommitRequest, Decision, Resolution


class InProcessOracle:
    """repo.oracle.port.TimestampOracle. `leader` may be replaced at any time by the one that took over."""

    def __init__(self, leader: Oracle, turn: AbstractContextManager[object] | None = None) -> None:
        """turn: a lock, held while a frame is served, for several threads."""
        self.leader = leader
        self._turn = turn or nullcontext()

    def snapshot(self, at_least: int = 0) -> int:
        return self._begun(BeginRequest(0, at_least)).snapshot

    def begin(self, count: int = 1, at_least: int = 0) -> list[Begun]:
        return self._begun(BeginRequest(count, at_least)).expanded()

    def commit(self, requests: Sequence[CommitRequest]) -> list[Decision]:
        require_write_sets(requests)
        try:
            return self._frame(Frame(commits=requests)).commits
        except UnavailableError:
            return [Decision(OutcomeKind.UNKNOWN)] * len(requests)

    def resolve(self, ids: Sequence[int]) -> list[Resolution]:
        return self._frame(Frame(resolves=ids)).resolves

    def settle(self, ids: Sequence[int]) -> list[Resolution]:
        return self._frame(Frame(settles=ids)).settles

    def _begun(self, request: BeginRequest) -> BegunRange:
        try:
            begun = self.leader.begin(request)
        except FencedError as error:
            raise UnavailableError("the oracle was fenced: ask its successor") from error
        if begun is None:
            (begun,) = self._frame(Frame(begins=[request])).begins
        if begun is None:
            raise UnavailableError(f"this oracle does not reach {request.at_least}: ask its successor")
        return begun

    def _frame(self, frame: Frame) -> Replies:
        try:
            with self._turn:
                decided = self.leader.frame(frame)
            return self.leader.replies(frame, decided)
        except FencedError as error:
            raise UnavailableError("the oracle was fenced: ask its successor") from error
