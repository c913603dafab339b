"""Each rule of the oracle's decisions, without storage."""

import pytest

from repo.api import OutcomeKind
from repo.oracle.frames import IDS_A_BEGIN_MAX, BeginRequest
from repo.oracle.port import TIMESTAMP_STEP, CommitRequest, Decision, Fate, Resolution
from repo.oracle.state_machine import NANOSECONDS_PER_MS, OracleLimits, OracleStateMachine
from repo.oracle.storage import Taken

MS = NANOSECONDS_PER_MS
EPOCH, NOW_MS = 5_000 * MS, 5_010.0
WINDOW_MS = 1_000
LIMITS = OracleLimits(cells_max=40, age_ms_max=60_000, ceiling_ms=WINDOW_MS, remembered_max=8)
X, Y, Z = 1, 2, 3


class Machine(OracleStateMachine):
    """With short cuts for tests."""

    def __init__(self, limits: OracleLimits = LIMITS, epoch: int = EPOCH) -> None:
        super().__init__(Taken(epoch, epoch + WINDOW_MS * MS, ()), limits)
        self.tick(NOW_MS)

    def id(self) -> int:
        begun = self.begin(BeginRequest())
        assert begun is not None
        return begun.first_id

    def commit(self, id: int, *written: int, snapshot: int | None = None, checked: tuple[int, ...] = ()) -> Decision:
        """Decided, not durable."""
        at = self.watermark if snapshot is None else snapshot
        (decision,) = self.decide([CommitRequest(id, at, written, checked)])
        return decision

    def persist(self) -> None:
        flush = self.flush()
        if flush is not None:
            self.flushed(flush)

    def committed(self, *written: int) -> int:
        """A durable commit's timestamp."""
        decision = self.commit(self.id(), *written)
        assert decision.kind is OutcomeKind.COMMITTED
        self.persist()
        return decision.timestamp


@pytest.fixture
def machine() -> Machine:
    return Machine()


def kind(decision: Decision) -> OutcomeKind:
    return decision.kind


# timestamps


def test_timestamps_are_the_time_and_never_go_back(machine: Machine) -> None:
    first = machine.id()
    assert first == NOW_MS * MS
    machine.tick(NOW_MS - 3_600_000)
    assert machine.id() == first + TIMESTAMP_STEP
    assert machine.commit(first, X).timestamp == first + 2 * TIMESTAMP_STEP
    machine.tick(NOW_MS + 1)
    assert machine.id() == (NOW_MS + 1) * MS


def test_all_timestamps_lie_above_the_epoch_also_when_the_clock_is_behind() -> None:
    machine = Machine()
    machine.tick(0.0)
    assert (machine.id(), machine.watermark) == (EPOCH + TIMESTAMP_STEP, EPOCH)


def test_many_ids_are_one_range(machine: Machine) -> None:
    begun = machine.begin(BeginRequest(id_count=3))
    assert begun is not None
    assert [one.id for one in begun.expanded()] == [begun.first_id + at * TIMESTAMP_STEP for at in range(3)]
    assert all(kind(machine.commit(one.id, at)) is OutcomeKind.COMMITTED for at, one in enumerate(begun.expanded()))


def test_each_timestamp_is_one_that_omids_clients_look_up_as_it_is() -> None:
    """Whatever an earlier version left as the epoch."""
    machine = Machine(epoch=EPOCH + 7)
    assert machine.id() % TIMESTAMP_STEP == machine.committed(X) % TIMESTAMP_STEP == 0
    machine.tick(0.0)
    assert machine.id() % TIMESTAMP_STEP == 0


# the ceiling


def test_nothing_at_or_above_the_ceiling_is_given_out_before_it_is_moved(machine: Machine) -> None:
    machine.last = EPOCH + WINDOW_MS * MS - 3 * TIMESTAMP_STEP
    assert machine.begin(BeginRequest(id_count=3)) is None
    assert machine.begin(BeginRequest(id_count=2)) is not None
    assert machine.flush() is None, "begins cost nothing"
    machine.tick(NOW_MS + WINDOW_MS)
    assert machine.begin(BeginRequest()) is None
    first_id = machine.allot(BeginRequest())
    flush = machine.flush()
    assert first_id is not None
    assert flush is not None and not flush.batch
    assert flush.ceiling == first_id + WINDOW_MS * MS
    machine.flushed(flush)
    assert machine.begin(BeginRequest()) is not None


@pytest.mark.parametrize("count", [-1, IDS_A_BEGIN_MAX + 1])
def test_a_number_of_ids_that_makes_no_sense_is_refused(machine: Machine, count: int) -> None:
    before = machine.last
    assert machine.begin(BeginRequest(count)) is machine.allot(BeginRequest(count)) is None
    assert machine.last == before


def test_a_snapshot_alone_uses_no_id_up(machine: Machine) -> None:
    timestamp, last = machine.committed(X), machine.last
    begun = machine.begin(BeginRequest(id_count=0))
    assert begun is not None
    assert (begun.snapshot, machine.last) == (timestamp, last)


def test_a_flush_moves_the_ceiling_before_it_is_needed_and_not_each_time(machine: Machine) -> None:
    machine.commit(machine.id(), X)
    flush = machine.flush()
    assert flush is not None and flush.ceiling == EPOCH + WINDOW_MS * MS
    machine.flushed(flush)
    machine.tick(NOW_MS + WINDOW_MS * 0.6)
    machine.commit(machine.id(), X)
    flush = machine.flush()
    assert flush is not None and flush.ceiling == machine.last + WINDOW_MS * MS


# begin


def test_f1_a_snapshot_stays_below_what_is_decided_and_not_durable(machine: Machine) -> None:
    before = machine.committed(X)
    decision = machine.commit(machine.id(), X)
    begun = machine.begin(BeginRequest())
    assert begun is not None
    assert begun.snapshot == before < decision.timestamp
    later = machine.commit(machine.id(), Y)
    machine.persist()
    assert machine.snapshot() == later.timestamp > decision.timestamp


def test_f13_what_is_above_all_timestamps_given_out_is_not_reached(machine: Machine) -> None:
    last = machine.committed(X)
    assert machine.allot(BeginRequest(at_least=last + 1)) is None
    assert machine.begin(BeginRequest(at_least=last + 1)) is None


def test_n1_a_begin_at_a_commit_waits_until_that_is_durable(machine: Machine) -> None:
    decision = machine.commit(machine.id(), X)
    assert machine.begin(BeginRequest(at_least=decision.timestamp)) is None
    assert machine.allot(BeginRequest(at_least=decision.timestamp)) is not None, "one flush is enough"
    machine.persist()
    assert machine.snapshot(decision.timestamp) == decision.timestamp


def test_a_time_that_is_no_commit_is_reached_when_nothing_is_in_flight(machine: Machine) -> None:
    machine.committed(X)
    time = machine.id()
    decision = machine.commit(machine.id(), X)
    assert machine.begin(BeginRequest(at_least=time)) is None
    machine.persist()
    later = machine.id()
    begun = machine.begin(BeginRequest(at_least=later))
    assert begun is not None and decision.timestamp < begun.snapshot == later < begun.first_id


def test_a_time_above_the_ceiling_may_be_a_successors(machine: Machine) -> None:
    machine.tick(NOW_MS + 10 * WINDOW_MS)
    later = machine.allot(BeginRequest())
    assert later is not None
    assert machine.snapshot(later) == EPOCH
    machine.persist()
    assert machine.snapshot(later) == later


# conflicts


def test_who_writes_what_was_written_after_its_snapshot_conflicts(machine: Machine) -> None:
    begun, snapshot = machine.id(), machine.watermark
    other = machine.committed(Y)
    assert machine.commit(begun, X, Y, snapshot=snapshot) == Decision(OutcomeKind.CONFLICT, other, cell_id=Y)
    assert kind(machine.commit(machine.id(), X, Y)) is OutcomeKind.COMMITTED


def test_members_of_a_frame_are_checked_against_those_before_them(machine: Machine) -> None:
    snapshot = machine.watermark
    requests = [CommitRequest(machine.id(), snapshot, (X, at)) for at in (10, 11)]
    requests.append(CommitRequest(machine.id(), snapshot, (11,)))
    first, second, third = machine.decide(requests)
    assert kind(first) is OutcomeKind.COMMITTED
    assert second == Decision(OutcomeKind.CONFLICT, first.timestamp, X)
    assert third == Decision(OutcomeKind.COMMITTED, first.timestamp + TIMESTAMP_STEP), (
        "who conflicted has written nothing"
    )


def test_a_cell_that_was_checked_conflicts_with_writers_and_not_with_others_who_check(machine: Machine) -> None:
    snapshot = machine.watermark
    one, two, three = (machine.id() for _ in range(3))
    assert kind(machine.commit(one, X, snapshot=snapshot, checked=(Z,))) is OutcomeKind.COMMITTED
    assert kind(machine.commit(two, Y, snapshot=snapshot, checked=(Z,))) is OutcomeKind.COMMITTED
    assert kind(machine.commit(three, Z, snapshot=snapshot, checked=(X,))) is OutcomeKind.CONFLICT


def test_f9_no_transaction_commits_across_the_epoch(machine: Machine) -> None:
    assert kind(machine.commit(machine.id(), X, snapshot=EPOCH - 1)) is OutcomeKind.TOO_OLD
    assert kind(machine.commit(machine.id(), X, snapshot=EPOCH)) is OutcomeKind.COMMITTED


def test_a_snapshot_below_what_the_conflict_map_forgot_is_too_old(machine: Machine) -> None:
    begun, snapshot = machine.id(), machine.watermark
    timestamps = [machine.committed(cell) for cell in range(100, 141)]
    assert kind(machine.commit(begun, X, snapshot=snapshot)) is OutcomeKind.TOO_OLD
    assert kind(machine.commit(machine.id(), X, snapshot=timestamps[20])) is OutcomeKind.COMMITTED


# refusals


def test_an_id_that_was_not_given_out_is_refused(machine: Machine) -> None:
    given = machine.id()
    machine.committed(Y)
    for id in (EPOCH - 1, EPOCH, EPOCH + 1, given + 2, machine.last + 1):
        assert kind(machine.commit(id, X, snapshot=min(id - 1, EPOCH))) is OutcomeKind.TOO_OLD


def test_an_empty_write_set_is_refused(machine: Machine) -> None:
    assert kind(machine.commit(machine.id(), checked=(X,))) is OutcomeKind.TOO_OLD


def test_a_snapshot_that_is_not_below_the_id_is_refused(machine: Machine) -> None:
    """Another oracle's, later than this id: version order would not be commit order."""
    id = machine.id()
    assert kind(machine.commit(id, X, snapshot=id)) is OutcomeKind.TOO_OLD


def test_f5_a_commit_that_comes_twice_is_not_judged_again(machine: Machine) -> None:
    id, snapshot = machine.id(), machine.watermark
    assert kind(machine.commit(id, X, snapshot=snapshot)) is OutcomeKind.COMMITTED
    assert kind(machine.commit(id, X, snapshot=snapshot)) is OutcomeKind.UNKNOWN
    machine.persist()
    assert kind(machine.commit(id, X, snapshot=snapshot)) is OutcomeKind.UNKNOWN


def test_a_transaction_has_an_age_limit(machine: Machine) -> None:
    old, other = machine.id(), machine.id()
    machine.tick(NOW_MS + LIMITS.age_ms_max)
    assert kind(machine.commit(old, X)) is OutcomeKind.COMMITTED
    machine.tick(NOW_MS + LIMITS.age_ms_max + 1)
    assert kind(machine.commit(other, Y)) is OutcomeKind.TOO_OLD
    assert machine.resolve(other) is None, "decided for ever: the commit table says that it is not there"


def test_the_age_limit_holds_when_the_clock_goes_back(machine: Machine) -> None:
    old = machine.id()
    machine.tick(NOW_MS + LIMITS.age_ms_max + 1)
    machine.tick(NOW_MS)
    assert kind(machine.commit(old, X)) is OutcomeKind.TOO_OLD


def test_ids_grow_old_also_while_the_clock_is_behind_them(machine: Machine) -> None:
    """It has gone back by an hour: ids go on from the last one, which lies in the future."""
    clock_ms, old = NOW_MS - 3_600_000, machine.id()
    for elapsed_ms in range(0, LIMITS.age_ms_max + 1, 500):
        machine.tick(clock_ms + elapsed_ms, elapsed_ms)
        if elapsed_ms == 30_000:
            younger = machine.id()
    assert machine.resolve(old) == Resolution(Fate.UNDECIDED)
    machine.tick(clock_ms + LIMITS.age_ms_max + 1_500, LIMITS.age_ms_max + 1_500)
    assert machine.resolve(old) is None
    assert kind(machine.commit(old, X)) is OutcomeKind.TOO_OLD
    assert kind(machine.commit(younger, Y)) is OutcomeKind.COMMITTED


# outcomes


def test_resolve_says_committed_only_when_it_is_durable_and_changes_nothing(machine: Machine) -> None:
    id = machine.id()
    assert machine.resolve(id) == Resolution(Fate.UNDECIDED)
    decision = machine.commit(id, X)
    assert machine.resolve(id) == Resolution(Fate.UNDECIDED)
    machine.persist()
    assert machine.resolve(id) == Resolution(Fate.COMMITTED, decision.timestamp)


def test_settle_refuses_an_undecided_id_for_ever(machine: Machine) -> None:
    id = machine.id()
    assert machine.settle(id) == Resolution(Fate.ABORTED)
    assert kind(machine.commit(id, X)) is OutcomeKind.TOO_OLD
    assert machine.flush() is None


def test_f14_settle_never_aborts_what_was_decided(machine: Machine) -> None:
    id = machine.id()
    decision = machine.commit(id, X)
    assert machine.settle(id) == Resolution(Fate.UNDECIDED)
    machine.persist()
    assert machine.settle(id) == Resolution(Fate.COMMITTED, decision.timestamp)


def test_an_id_above_all_that_was_given_out_is_not_mine(machine: Machine) -> None:
    above = machine.id() + 1
    assert machine.resolve(above) == machine.settle(above) == Resolution(Fate.NOT_MINE)


def test_of_older_epochs_and_of_what_was_aborted_the_commit_table_knows(machine: Machine) -> None:
    snapshot, conflicting = machine.watermark, machine.id()
    machine.committed(X)
    assert kind(machine.commit(conflicting, X, snapshot=snapshot)) is OutcomeKind.CONFLICT
    for id in (EPOCH, EPOCH - 1, conflicting):
        assert machine.resolve(id) is None
        assert machine.settle(id) is None


def test_only_the_newest_commits_are_remembered(machine: Machine) -> None:
    ids = []
    for cell in range(20):
        ids.append(machine.id())
        machine.commit(ids[-1], cell)
        machine.persist()
    known = [machine.resolve(id) is not None for id in ids]
    assert 4 <= sum(known) <= 8
    assert known == sorted(known)
