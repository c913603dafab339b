"""Leaders that don't know that they are former ones, and clocks that go wrong, on a state cell in a real HBase."""

from collections.abc import Iterator

import pytest

from ops.engine.clock import SystemClock
from proto.errors import FencedError, UnavailableError
from repo.api import OutcomeKind
from repo.oracle.grpc_client import GrpcOracle
from repo.oracle.leader import Leader
from repo.oracle.port import Begun, CommitRequest, Decision, Fate
from tests.support.cluster import RunningCluster
from tests.support.oracle_processes import HbaseStore
from tests.support.oracles import PATIENCE_S, Published, served

HOUR_MS = 3_600_000


class LateClock(SystemClock):
    """An hour behind."""

    def now_ms(self) -> float:
        return super().now_ms() - HOUR_MS


@pytest.fixture
def store(hbase: RunningCluster) -> Iterator[HbaseStore]:
    store = HbaseStore(hbase)
    yield store
    store.close()


def _client(leader: Leader) -> GrpcOracle:
    published = Published()
    published.publish(leader)
    return GrpcOracle(published, PATIENCE_S)


def _commit(oracle: GrpcOracle, begun: Begun, cell: int) -> Decision:
    [decision] = oracle.commit([CommitRequest(*begun, written=(cell,))])
    return decision


def test_a_former_leader_begins_nothing_that_must_see_its_successor_and_commits_nothing(store: HbaseStore) -> None:
    with served(store, SystemClock()) as first, served(store, SystemClock()) as second:
        former, current = _client(first.lead()), _client(second.lead())
        try:
            [begun] = current.begin()
            decision = _commit(current, begun, 1)
            assert decision.kind is OutcomeKind.COMMITTED
            [stale] = former.begin()
            assert stale.snapshot < decision.timestamp, "it may go on beginning: nothing that it begins can commit"
            with pytest.raises(UnavailableError, match="may be a former leader"):
                former.begin(at_least=decision.timestamp)
            assert _commit(former, stale, 1).kind is OutcomeKind.UNKNOWN
            first.thread.join(PATIENCE_S)
            assert isinstance(first.error, FencedError)
            assert current.settle([stale.id])[0].fate is Fate.ABORTED
            assert _commit(current, stale, 2).kind is not OutcomeKind.COMMITTED, "it began before the take-over"
        finally:
            former.close()
            current.close()


def test_the_next_leader_s_clock_is_an_hour_behind_and_timestamps_grow(store: HbaseStore) -> None:
    with served(store, SystemClock()) as first, served(store, LateClock()) as second:
        oracle = _client(first.lead())
        before = [_commit(oracle, begun, begun.id) for begun in oracle.begin(3)]
        oracle.close()
        oracle = _client(second.lead())
        try:
            begun = oracle.begin(3, at_least=before[-1].timestamp)
            after = [_commit(oracle, one, one.id) for one in begun]
            assert {one.kind for one in before + after} == {OutcomeKind.COMMITTED}
            timestamps = (
                [one.timestamp for one in before] + [one.id for one in begun] + [one.timestamp for one in after]
            )
            assert timestamps == sorted(set(timestamps))
        finally:
            oracle.close()
