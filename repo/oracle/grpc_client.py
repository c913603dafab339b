"""The oracle by gRPC: all threads' requests in one frame, to whoever leads.

Begins have a lane of their own, for they wait for no flush. What was lost with a stream: commits are answered UNKNOWN
and never sent again (F5), the rest is asked again. Never fork after importing this: gRPC has threads.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import grpc
import msgspec

from proto.errors import InvalidMessageError, UnavailableError
from proto.wire.oracle_pb2 import OracleQuestion, OracleStatus
from repo.api import OutcomeKind
from repo.oracle import grpc_lane
from repo.oracle.frames import BeginRequest, BegunRange, Frame, require_write_sets
from repo.oracle.grpc_lane import Lane
from repo.oracle.leader import Leaders
from repo.oracle.port import Begun, CommitRequest, Decision, Resolution

DEADLINE_S = 10.0
CELLS_MAX = 1_000_000
"""Of one commit."""

_STATUS = "/adsindex.v1.Oracle/Status"
_STATUS_S = 5.0

Asked = TypeVar("Asked", int, CommitRequest)


class GrpcOracle:
    """repo.oracle.port.TimestampOracle. One for a process, for all its threads; `close` it."""

    def __init__(self, leaders: Leaders, deadline_s: float = DEADLINE_S) -> None:
        """deadline_s: how long any call waits for its answer, failover included."""
        self._begins = Lane("begins", leaders, deadline_s)
        self._decisions = Lane("decisions", leaders, deadline_s)

    def snapshot(self, at_least: int = 0) -> int:
        return self._begun(BeginRequest(0, at_least)).snapshot

    def begin(self, count: int = 1, at_least: int = 0) -> list[Begun]:
        return self._begun(BeginRequest(count, at_least)).expanded()

    def commit(self, requests: Sequence[CommitRequest]) -> list[Decision]:
        require_write_sets(requests)
        _require_sizes(requests)
        decisions: list[Decision] = []
        for part in _parts(requests):
            try:
                decisions += self._decisions.ask(Frame(commits=part)).commits
            except UnavailableError:
                decisions += [Decision(OutcomeKind.UNKNOWN)] * len(part)
        return decisions

    def resolve(self, ids: Sequence[int]) -> list[Resolution]:
        return [one for part in _parts(ids) for one in self._decisions.ask(Frame(resolves=part)).resolves]

    def settle(self, ids: Sequence[int]) -> list[Resolution]:
        return [one for part in _parts(ids) for one in self._decisions.ask(Frame(settles=part)).settles]

    def waiting(self) -> int:
        """Calls that no frame has taken yet."""
        return self._begins.waiting() + self._decisions.waiting()

    def close(self) -> None:
        """What is under way is given up."""
        self._begins.close()
        self._decisions.close()

    def _begun(self, request: BeginRequest) -> BegunRange:
        [begun] = self._begins.ask(Frame(begins=[request])).begins
        if begun is None:
            raise UnavailableError(
                f"this oracle doesn't reach {request.at_least}: it may be a former leader; try again"
            )
        return begun


def status_of(address: str) -> dict[str, Any]:
    """What the oracle there, leading or not, says of itself (OracleService.status). Raises UnavailableError."""
    with grpc.insecure_channel(address) as channel:
        ask = channel.unary_unary(_STATUS, OracleQuestion.SerializeToString, OracleStatus.FromString)
        try:
            status: dict[str, Any] = msgspec.json.decode(ask(OracleQuestion(), timeout=_STATUS_S).json)
        except grpc.RpcError as error:
            raise UnavailableError(f"the oracle at {address}: {error.details()}") from None
    return status


def _require_sizes(requests: Sequence[CommitRequest]) -> None:
    """Raises InvalidMessageError for what would never arrive, before anything is sent."""
    for request in requests:
        if len(request.written) + len(request.checked) > CELLS_MAX:
            raise InvalidMessageError(f"transaction {request.id} has more than {CELLS_MAX:,} cells; split it")


def _parts(asked: Sequence[Asked]) -> Iterator[list[Asked]]:
    """As many in a row as fit one frame."""
    part: list[Asked] = []
    size = 0
    for one in asked:
        more = 1 if isinstance(one, int) else 1 + len(one.written) + len(one.checked)
        if part and size + more > grpc_lane.FRAME_MAX:
            yield part
            part, size = [], 0
        part.append(one)
        size += more
    if part:
        yield part
