"""Every interleaving of the storage calls of an oracle and of those that take it over, with a call that goes wrong.

A former owner is never told: it goes on until its next compare-and-set. To stop it for good (a crash) is the schedule
that lets it go on when all is over. Between any two calls, clients begin at every oracle that still serves.
"""

from collections.abc import Callable, Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import pytest
from greenlet import getcurrent, greenlet

from proto.errors import FencedError, UnavailableError
from repo.api import OutcomeKind
from repo.hbase.commit_table import CommitTable
from repo.hbase.memory import MemoryCells
from repo.hbase.names import TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.state_cell import OracleState, StateCell
from repo.oracle.conflict_map import ConflictMap
from repo.oracle.frames import BeginRequest, Decided, Frame
from repo.oracle.oracle import Oracle
from repo.oracle.port import CommitRequest, Decision, Fate
from repo.oracle.state_machine import OracleLimits, OracleStateMachine
from repo.oracle.storage import Taken
from tests.support.engines import ManualClock
from tests.support.every_schedule import Choices, every_schedule

NAMES = TableNames()
LIMITS = OracleLimits(cells_max=10)
X, Y = 1, 2
Below = frozenset[tuple[int, int]]
"""(id, commit timestamp) of all that is committed at or below a snapshot."""


@dataclass
class Stepping:
    """The cell port of one process: control goes to the scheduler before each call, and after a write the answer, or
    the write, may be lost. answers: all that the process knows."""

    world: "World"
    name: bytes
    answers: list[str] = field(default_factory=list)

    def get(self, *arguments: Any) -> Any:
        return self._call(lambda: self.world.cells.get(*arguments), faults=1)

    def put(self, *arguments: Any) -> None:
        self._call(lambda: self.world.cells.put(*arguments), faults=4)

    def check_and_put(self, *arguments: Any) -> Any:
        return self._call(lambda: self.world.cells.check_and_put(*arguments), faults=4)

    def _call(self, call: Callable[[], Any], faults: int) -> Any:
        if (scheduler := getcurrent().parent) is not None:
            scheduler.switch()
        fault = self.world.choices.choose(faults) if self.world.faults_left and scheduler is not None else 0
        if fault:
            self.world.faults_left -= 1
        if fault == 1:  # the gateway tries twice, and gives the second answer
            call()
        if fault <= 1:
            answer = call()
            self.answers.append(repr(answer))
            return answer
        if fault == 2:  # the answer is lost
            call()
        else:  # it happens later, if it still can
            self.world.late.append((self.name, call))
        self.answers.append("none")
        raise UnavailableError("no answer")


@dataclass
class World:
    """One store, its oracles, what their clients were told, and what they saw."""

    choices: Choices
    faults_left: int
    cells: MemoryCells = field(default_factory=lambda: MemoryCells(ManualClock()))
    late: list[tuple[bytes, Callable[[], Any]]] = field(default_factory=list)
    processes: list[Stepping] = field(default_factory=list)
    oracles: list[Oracle] = field(default_factory=list)
    requests: dict[int, CommitRequest] = field(default_factory=dict)
    told_committed: dict[int, int] = field(default_factory=dict)
    told_aborted: set[int] = field(default_factory=set)
    seen: set[tuple[int, Below]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.cells.require(oracle_tables(NAMES))

    def oracle(self, nonce: bytes) -> Oracle:
        """Takes over."""
        cells: Any = Stepping(self, nonce)
        self.processes.append(cells)
        oracle = Oracle(oracle_storage(cells, NAMES, nonce), ManualClock(1.0), LIMITS)
        self.oracles.append(oracle)
        return oracle

    def request(self, oracle: Oracle, *written: int, snapshot: int | None = None) -> CommitRequest:
        """snapshot: taken before, at whatever oracle; None: with the id."""
        begun = oracle.begin(BeginRequest())
        assert begun is not None
        assert begun.first_id not in self.requests, "a timestamp twice"
        at = begun.snapshot if snapshot is None else snapshot
        request = self.requests[begun.first_id] = CommitRequest(begun.first_id, at, written)
        return request

    def commit(self, oracle: Oracle, *requests: CommitRequest) -> None:
        decisions = oracle.frame(Frame(commits=requests)).commits
        for request, decision in zip(requests, decisions, strict=True):
            if decision.kind is OutcomeKind.COMMITTED:
                self.told_committed[request.id] = decision.timestamp
            else:
                self.told_aborted.add(request.id)

    def settle(self, oracle: Oracle, *requests: CommitRequest) -> None:
        frame = Frame(settles=[request.id for request in requests])
        for id, found in zip(frame.settles, oracle.replies(frame, oracle.frame(frame)).settles, strict=True):
            if found.fate is Fate.COMMITTED:
                self.told_committed[id] = found.commit_timestamp
            elif found.fate is Fate.ABORTED:
                self.told_aborted.add(id)

    def committed(self) -> dict[int, int]:
        """What any reader finds now."""
        return CommitTable(self.cells, NAMES.commit_table).look_up(list(self.requests))

    def look(self) -> None:
        """A client begins at every oracle that serves, and reads."""
        now = self.committed()
        for oracle in self.oracles:
            begun = oracle.begin(BeginRequest(id_count=0)) if oracle.serves else None
            if begun is not None:
                self.seen.add((begun.snapshot, _below(now, begun.snapshot)))

    def run(self, *processes: Callable[[], None]) -> None:
        """All of them at once, and what is late, to the end. Then judges, unless an earlier run has come here."""
        waiting = [greenlet(process) for process in processes]
        while waiting or self.late:
            if self.choices.seen_before(self._state):
                return
            choice = self.choices.choose(len(waiting) + len(self.late))
            if choice < len(waiting):
                waiting[choice].switch()
                waiting = [process for process in waiting if not process.dead]
            else:
                self.late.pop(choice - len(waiting))[1]()
            self.look()
        self.judge()

    def _state(self) -> Hashable:
        return (
            tuple(tuple(process.answers) for process in self.processes),
            tuple(name for name, _ in self.late),
            self.faults_left,
            repr(self.cells.get(NAMES.oracle, [b"oracle"], [b"s:state"])),
            frozenset(self.committed().items()),
            frozenset(self.seen),
        )

    def judge(self) -> None:
        committed = self.committed()
        assert self.told_committed.items() <= committed.items(), "committed, and lost"
        assert not self.told_aborted & committed.keys(), "aborted, and visible"
        for snapshot, seen in self.seen:
            assert seen == _below(committed, snapshot), "a snapshot changed"
        ids = list(self.requests)
        assert len({*ids, *committed.values()}) == len(ids) + len(committed), "a timestamp twice"
        for one, two in combinations(committed, 2):
            if set(self.requests[one].written) & set(self.requests[two].written):
                apart = committed[one] <= self.requests[two].snapshot or committed[two] <= self.requests[one].snapshot
                assert apart, "an update was lost"


def _below(committed: Mapping[int, int], snapshot: int) -> Below:
    return frozenset((id, timestamp) for id, timestamp in committed.items() if timestamp <= snapshot)


def one_take_over(choices: Choices, faults: int = 1) -> None:
    world = World(choices, faults)
    former = world.oracle(b"1" * 16)
    requests = [world.request(former, *written) for written in ((X,), (X, Y), (Y,))]

    def goes_on() -> None:
        with suppress(FencedError):
            world.commit(former, requests[0])
            world.commit(former, *requests[1:])

    def takes_over() -> None:
        with suppress(FencedError):
            owner = world.oracle(b"2" * 16)
            world.settle(owner, *requests)
            old = world.request(owner, X, snapshot=requests[0].snapshot)
            world.commit(owner, old, world.request(owner, X, Y))

    world.run(goes_on, takes_over)


def two_take_overs(choices: Choices, faults: int = 0) -> None:
    world = World(choices, faults)
    former = world.oracle(b"1" * 16)
    request = world.request(former, X)

    def goes_on() -> None:
        with suppress(FencedError):
            world.commit(former, request)

    def takes_over(nonce: bytes) -> None:
        with suppress(FencedError):
            owner = world.oracle(nonce)
            world.commit(owner, world.request(owner, X))

    world.run(goes_on, lambda: takes_over(b"2" * 16), lambda: takes_over(b"3" * 16))


def _first_batch_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    take_over = StateCell.take_over

    def without_batch(chain: StateCell, now: int, window: int) -> Taken:
        return take_over(chain, now, window)._replace(batch=())

    monkeypatch.setattr(StateCell, "take_over", without_batch)


def _fenced_is_taken_for_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = Oracle.frame

    def confident(oracle: Oracle, asked: Frame) -> Decided:
        try:
            return frame(oracle, asked)
        except FencedError:
            return Decided([], [Decision(OutcomeKind.TOO_OLD)] * len(asked.commits), [], [])

    monkeypatch.setattr(Oracle, "frame", confident)


def _any_cell_is_taken_for_mine(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were no compare-and-set."""

    def overwriting(chain: StateCell, before: bytes | None, state: OracleState) -> bool:
        while not chain._put(chain._read(), state.encoded()):
            pass
        chain._state = state
        return True

    monkeypatch.setattr(StateCell, "_replaced", overwriting)


def _without_nonce(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = OracleState.encoded
    monkeypatch.setattr(OracleState, "encoded", lambda state: encoded(state._replace(nonce=bytes(16))))


def _rows_are_put_before_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    flush = Oracle._flush

    def rows_first(oracle: Oracle) -> None:
        planned = oracle._machine.flush()
        if planned is not None and planned.batch:
            oracle._until_answered(lambda: oracle._storage.commit_table.put(planned.batch))
        flush(oracle)

    monkeypatch.setattr(Oracle, "_flush", rows_first)


def _f1_a_snapshot_holds_what_is_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OracleStateMachine, "snapshot", lambda machine, at_least=0: machine.last)


def _f9_the_new_conflict_map_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    forgetful = OracleStateMachine.__init__

    def trusting(machine: OracleStateMachine, taken: Taken, limits: OracleLimits) -> None:
        forgetful(machine, taken, limits)
        machine._conflicts = ConflictMap(limits.cells_max)

    monkeypatch.setattr(OracleStateMachine, "__init__", trusting)


@pytest.mark.parametrize("run", [one_take_over, two_take_overs])
def test_whatever_happens(run: Callable[[Choices], None]) -> None:
    assert sum(1 for _ in every_schedule(run)) > 1_000


@pytest.mark.parametrize(
    "rule_off",
    [
        _first_batch_is_lost,
        _fenced_is_taken_for_aborted,
        _any_cell_is_taken_for_mine,
        _without_nonce,
        _rows_are_put_before_the_chain,
        _f1_a_snapshot_holds_what_is_in_flight,
        _f9_the_new_conflict_map_is_trusted,
    ],
    ids=lambda rule_off: rule_off.__name__.strip("_"),
)
def test_each_rule_is_needed(rule_off: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    rule_off(monkeypatch)
    with pytest.raises(AssertionError):
        for run in (one_take_over, two_take_overs):
            for _ in every_schedule(run):
                pass
