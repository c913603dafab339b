"""The oracle port in one process: what a client of an oracle without a store sees."""

import pytest

from proto.errors import InvalidMessageError, UnavailableError
from repo.api import OutcomeKind
from repo.oracle.in_process import InProcessOracle
from repo.oracle.memory import MemoryCommitTable, MemoryStateChain
from repo.oracle.oracle import Oracle
from repo.oracle.port import TIMESTAMP_STEP, CommitRequest, Decision, Fate, Resolution
from repo.oracle.state_machine import OracleLimits
from repo.oracle.storage import OracleStorage
from tests.support.engines import ManualClock

LIMITS = OracleLimits(cells_max=1_000)


@pytest.fixture
def oracle() -> InProcessOracle:
    return InProcessOracle(Oracle(OracleStorage(MemoryStateChain(), MemoryCommitTable()), ManualClock(), LIMITS))


def test_the_first_snapshot_is_empty_and_the_next_one_is_the_commit(oracle: InProcessOracle) -> None:
    (first,) = oracle.begin()
    assert first.snapshot == 0 < first.id
    (decision,) = oracle.commit([CommitRequest(*first, written=(1,))])
    assert decision == Decision(OutcomeKind.COMMITTED, first.id + TIMESTAMP_STEP)
    assert oracle.begin()[0].snapshot == first.id + TIMESTAMP_STEP
    assert oracle.resolve([first.id]) == [Resolution(Fate.COMMITTED, first.id + TIMESTAMP_STEP)]


def test_of_two_writers_of_a_cell_the_second_is_told_who_was_first(oracle: InProcessOracle) -> None:
    one, two = oracle.begin(2)
    assert one.snapshot == two.snapshot
    first, second = oracle.commit([CommitRequest(*one, written=(1, 2)), CommitRequest(*two, written=(3, 2))])
    assert first.kind is OutcomeKind.COMMITTED
    assert second == Decision(OutcomeKind.CONFLICT, first.timestamp, cell_id=2)


def test_what_the_oracle_has_not_given_out_it_does_not_reach(oracle: InProcessOracle) -> None:
    with pytest.raises(UnavailableError):
        oracle.begin(at_least=oracle.begin()[0].id + 1)


def test_a_commit_without_a_write_is_not_sent(oracle: InProcessOracle) -> None:
    with pytest.raises(InvalidMessageError):
        oracle.commit([CommitRequest(*oracle.begin()[0], written=(), checked=(1,))])
