"""The oracle over its storage on the cell port's twin: what a frame costs, what it waits for, when it stops."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from proto.errors import FencedError
from repo.api import OutcomeKind
from repo.hbase.commit_table import CommitTable
from repo.hbase.gc_state import GcState, GcStateCell
from repo.hbase.names import TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.oracle.frames import BeginRequest, BegunRange, Frame, Replies
from repo.oracle.oracle import Oracle
from repo.oracle.port import CommitRequest, Decision, Fate, Resolution
from repo.oracle.state_machine import OracleLimits
from tests.support.engines import ManualClock
from tests.support.scripted_cells import Fault, ScriptedCells

NAMES = TableNames()
X, Y = 1, 2


class GivenUpError(Exception):
    """Whoever drives the oracle wants it to stop."""


@dataclass
class World:
    """One store, and the oracles on it."""

    cells: ScriptedCells = field(default_factory=ScriptedCells)
    clock: ManualClock = field(default_factory=ManualClock)
    oracles: int = 0

    def __post_init__(self) -> None:
        self.cells.require(oracle_tables(NAMES))

    def oracle(self, pause: Callable[[int], None] = lambda attempt: None, flush_max: int = 100) -> Oracle:
        """Takes over. No call of it is counted."""
        self.oracles += 1
        storage = oracle_storage(self.cells, NAMES, b"%016d" % self.oracles, pause)
        oracle = Oracle(storage, self.clock, OracleLimits(cells_max=1_000, flush_max=flush_max), pause)
        self.cells.calls.clear()
        return oracle

    def calls(self) -> list[str]:
        """Since the last look."""
        calls, self.cells.calls = self.cells.calls, []
        return calls


@pytest.fixture
def world() -> World:
    return World()


def begin(oracle: Oracle, count: int = 1) -> BegunRange:
    begun = oracle.begin(BeginRequest(count))
    assert begun is not None
    return begun


def request(oracle: Oracle, *written: int) -> CommitRequest:
    begun = begin(oracle)
    return CommitRequest(begun.first_id, begun.snapshot, written)


def ask(oracle: Oracle, frame: Frame) -> Replies:
    """All of it."""
    decided = oracle.frame(frame)
    return oracle.replies(frame, decided)


def commit(oracle: Oracle, *requests: CommitRequest) -> list[Decision]:
    return ask(oracle, Frame(commits=requests)).commits


# what a frame costs


def test_begins_cost_no_call_until_the_ceiling_must_be_moved(world: World) -> None:
    oracle = world.oracle()
    ask(oracle, Frame(begins=[BeginRequest(5), BeginRequest()]))
    begin(oracle)
    assert world.calls() == []
    world.clock.ms += 2_001
    assert oracle.begin(BeginRequest()) is None
    (begun,) = ask(oracle, Frame(begins=[BeginRequest()])).begins
    assert begun is not None
    assert world.calls() == ["cas"]
    assert world.oracle().epoch > begun.first_id


def test_a_frame_that_decides_something_costs_two_calls(world: World) -> None:
    oracle = world.oracle()
    requests = [request(oracle, cell) for cell in range(50)]
    assert {decision.kind for decision in commit(oracle, *requests)} == {OutcomeKind.COMMITTED}
    assert world.calls() == ["cas", "put"]


def test_a_frame_of_conflicts_costs_nothing(world: World) -> None:
    oracle = world.oracle()
    loser = request(oracle, X)
    commit(oracle, request(oracle, X))
    world.calls()
    assert commit(oracle, loser)[0].kind is OutcomeKind.CONFLICT
    assert world.calls() == []


def test_a_very_large_frame_is_made_durable_in_pieces(world: World) -> None:
    oracle = world.oracle(flush_max=100)
    requests = [request(oracle, cell) for cell in range(250)]
    decisions = commit(oracle, *requests)
    assert world.calls() == ["cas", "put"] * 3
    timestamps = [decision.timestamp for decision in decisions]
    assert timestamps == sorted(set(timestamps))
    stored = CommitTable(world.cells, NAMES.commit_table).look_up([one.id for one in requests])
    assert list(stored.values()) == timestamps


def test_ids_that_are_not_known_any_more_are_looked_up_at_once(world: World) -> None:
    former = world.oracle()
    requests = [request(former, cell) for cell in range(4)]
    decisions = commit(former, *requests[:3])
    oracle = world.oracle()
    replies = ask(oracle, Frame(resolves=[one.id for one in requests[:2]], settles=[one.id for one in requests[2:]]))
    assert world.calls() == ["get", "get"], "the rows, and, for one is absent, the sweep horizon"
    assert replies.resolves == [Resolution(Fate.COMMITTED, decision.timestamp) for decision in decisions[:2]]
    assert replies.settles == [Resolution(Fate.COMMITTED, decisions[2].timestamp), Resolution(Fate.ABORTED)]


# begin


def test_begins_of_a_frame_see_what_the_frame_commits(world: World) -> None:
    oracle = world.oracle()
    one = request(oracle, X)
    replies = ask(oracle, Frame(begins=[BeginRequest()], commits=[one]))
    (begun,) = replies.begins
    assert begun is not None
    assert begun.snapshot == replies.commits[0].timestamp
    assert commit(oracle, CommitRequest(begun.first_id, begun.snapshot, (X,)))[0].kind is OutcomeKind.COMMITTED


def test_f1_a_begin_beside_a_flush_neither_waits_nor_sees_what_is_in_it(world: World) -> None:
    oracle = world.oracle()
    (first,) = commit(oracle, request(oracle, X))
    one = request(oracle, X)
    beside = []
    world.cells.before("cas", lambda: beside.append(oracle.begin(BeginRequest())))
    world.cells.before("put", lambda: beside.append(oracle.begin(BeginRequest())))
    (second,) = commit(oracle, one)
    assert [begun and begun.snapshot for begun in beside] == [first.timestamp] * 2
    assert begin(oracle).snapshot == second.timestamp


def test_f13_a_former_owner_does_not_reach_what_its_successor_committed(world: World) -> None:
    former, owner = world.oracle(), world.oracle()
    (decision,) = commit(owner, request(owner, X))
    at_least = BeginRequest(at_least=decision.timestamp)
    assert former.begin(at_least) is None
    assert ask(former, Frame(begins=[at_least])).begins == [None]
    assert owner.begin(at_least) is not None


# outcomes


def test_f8_what_the_sweep_may_have_removed_is_not_called_aborted(world: World) -> None:
    former = world.oracle()
    swept, aborted = request(former, X), request(former, Y)
    commit(former, swept)
    GcStateCell(world.cells, NAMES.gc, b"sweep").change(lambda state: GcState(sweep_horizon=aborted.id))
    CommitTable(world.cells, NAMES.commit_table).remove([swept.id])
    oracle = world.oracle()
    wanted = [Resolution(Fate.SWEPT), Resolution(Fate.ABORTED)]
    assert ask(oracle, Frame(resolves=[swept.id, aborted.id])).resolves == wanted


def test_f8_the_horizon_is_read_after_the_row(world: World) -> None:
    """Else the sweep would persist its horizon and remove the row between the two reads."""
    former = world.oracle()
    one = request(former, X)
    commit(former, one)
    oracle = world.oracle()

    def sweep() -> None:
        GcStateCell(world.cells, NAMES.gc, b"sweep").change(lambda state: GcState(sweep_horizon=one.id + 1))
        CommitTable(world.cells, NAMES.commit_table).remove([one.id])

    world.cells.before("get", sweep)
    assert ask(oracle, Frame(resolves=[one.id])).resolves == [Resolution(Fate.SWEPT)]


def test_settled_in_the_frame_of_its_commit_it_is_committed(world: World) -> None:
    oracle = world.oracle()
    one = request(oracle, X)
    replies = ask(oracle, Frame(commits=[one], settles=[one.id], resolves=[one.id]))
    assert replies.settles == replies.resolves == [Resolution(Fate.COMMITTED, replies.commits[0].timestamp)]


# take-over, and its end


def test_a_take_over_puts_the_rows_that_its_predecessor_left(world: World) -> None:
    """The predecessor dies after the compare-and-set."""
    former = world.oracle(pause=_give_up)
    one = request(former, X)
    world.cells.script("put", Fault.LOST)
    with pytest.raises(GivenUpError):
        commit(former, one)
    table = CommitTable(world.cells, NAMES.commit_table)
    assert table.look_up([one.id]) == {}
    world.cells.script("put", Fault.LOST, Fault.UNHEARD)
    oracle = world.oracle()
    assert list(table.look_up([one.id])) == [one.id]
    assert ask(oracle, Frame(settles=[one.id])).settles[0].fate is Fate.COMMITTED


def test_rows_are_put_until_they_are_acknowledged(world: World) -> None:
    attempts: list[int] = []
    oracle = world.oracle(pause=attempts.append)
    world.cells.script("put", Fault.LOST, Fault.LATE, Fault.UNHEARD)
    assert commit(oracle, request(oracle, X))[0].kind is OutcomeKind.COMMITTED
    assert world.calls() == ["cas", "put", "put", "put", "put"]
    assert attempts == [1, 2, 3]


def test_look_ups_are_repeated(world: World) -> None:
    world.oracle()
    oracle = world.oracle()
    world.cells.script("get", Fault.LOST, Fault.NONE, Fault.LOST)
    assert ask(oracle, Frame(resolves=[1])).resolves == [Resolution(Fate.ABORTED)]


def test_who_was_taken_over_answers_no_commit_and_stops_for_good(world: World) -> None:
    former = world.oracle()
    one, owner = request(former, X), world.oracle()
    assert former.serves
    with pytest.raises(FencedError):
        commit(former, one)
    assert not former.serves
    with pytest.raises(FencedError):
        former.begin(BeginRequest())
    with pytest.raises(FencedError):
        ask(former, Frame(resolves=[one.id]))
    assert ask(owner, Frame(settles=[one.id])).settles == [Resolution(Fate.ABORTED)]


def test_an_oracle_whose_flush_was_given_up_never_answers_again(world: World) -> None:
    oracle = world.oracle(pause=_give_up)
    world.cells.script("cas", Fault.UNHEARD)
    world.cells.script("get", Fault.LOST)
    one = request(oracle, X)
    with pytest.raises(GivenUpError):
        commit(oracle, one)
    with pytest.raises(FencedError):
        ask(oracle, Frame(settles=[one.id]))
    assert ask(world.oracle(), Frame(settles=[one.id])).settles[0].fate is Fate.COMMITTED


def test_a_clock_that_jumps_back_an_hour_changes_nothing_but_the_pace(world: World) -> None:
    oracle = world.oracle()
    (first,) = commit(oracle, request(oracle, X))
    world.clock.ms -= 3_600_000
    (second,) = commit(oracle, request(oracle, X))
    assert second.timestamp > first.timestamp
    successor = world.oracle()
    (third,) = commit(successor, request(successor, X))
    assert third.timestamp > successor.epoch > second.timestamp


def _give_up(attempt: int) -> None:
    raise GivenUpError


@pytest.mark.parametrize("id", [0, -1, -(2**63)])
def test_what_is_no_id_at_all_is_not_committed_and_harms_nobody(world: World, id: int) -> None:
    """Whoever asks for it is mistaken; an oracle that dies of it would take its successors with it."""
    oracle = world.oracle()
    replies = ask(oracle, Frame(resolves=[id], settles=[id], commits=[CommitRequest(id, id - 1, (X,))]))
    assert replies.resolves == replies.settles == [Resolution(Fate.ABORTED)]
    assert replies.commits == [Decision(OutcomeKind.TOO_OLD)]
