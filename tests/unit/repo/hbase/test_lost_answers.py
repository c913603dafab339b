"""A commit whose answer is lost: it is settled, never sent again."""

from collections.abc import Sequence
from typing import Any

import pytest

from proto.errors import AdsIndexError, InvalidMessageError, SettingsError, UnavailableError
from repo.api import Cell, Outcome, OutcomeKind, Transaction
from repo.hbase.repo import HbaseRepo
from repo.oracle.in_process import InProcessOracle
from repo.oracle.oracle import Oracle
from repo.oracle.port import CommitRequest, Decision, Resolution
from tests.support.engines import DOCUMENTS, ITEMS, LINKS, key_of
from tests.support.watched_hbase import NAMES, SETTINGS, World


class LosingOracle(InProcessOracle):
    """Answers to commits are lost. decides: whether they were heard; settles: whether anybody can tell afterwards."""

    def __init__(self, leader: Oracle, decides: bool = True) -> None:
        super().__init__(leader)
        self.decides, self.settles = decides, True
        self.commits = 0

    def commit(self, requests: Sequence[CommitRequest]) -> list[Decision]:
        self.commits += 1
        if self.decides:
            super().commit(requests)
        return [Decision(OutcomeKind.UNKNOWN)] * len(requests)

    def settle(self, ids: Sequence[int]) -> list[Resolution]:
        if not self.settles:
            raise UnavailableError("no oracle answers")
        return super().settle(ids)


@pytest.fixture
def world() -> World:
    world = World()
    world.put(world.client(), x=b"old")
    return world


def client(world: World, oracle: InProcessOracle) -> HbaseRepo:
    return HbaseRepo(world.cells, world.cells, oracle, world.clock, b"losing", SETTINGS)


def transaction(repo: HbaseRepo) -> Transaction:
    made = Transaction(repo.last_timestamp())
    made.write(ITEMS, key_of("x"), "a", b"new")
    return made


def seen(world: World) -> bytes | None:
    with world.client().snapshot() as snapshot:
        (version,) = snapshot.read(ITEMS, "a", [key_of("x")])
    return version and version.value


def test_what_was_decided_is_committed(world: World) -> None:
    oracle = LosingOracle(world.oracle.leader)
    repo = client(world, oracle)
    (outcome,) = repo.commit([transaction(repo)])
    assert outcome == Outcome(OutcomeKind.COMMITTED, repo.last_timestamp())
    assert (seen(world), oracle.commits) == (b"new", 1)


def test_what_was_not_heard_never_will_be_and_may_be_tried_again(world: World) -> None:
    oracle = LosingOracle(world.oracle.leader, decides=False)
    repo = client(world, oracle)
    (outcome,) = repo.commit([transaction(repo)])
    assert outcome.kind is OutcomeKind.TOO_OLD
    assert (seen(world), oracle.commits) == (b"old", 1)
    assert world.put(world.client(), x=b"again")


@pytest.mark.parametrize("decides", [True, False])
def test_as_long_as_no_oracle_answers_the_outcome_is_unknown_and_can_be_settled_later(
    world: World, decides: bool
) -> None:
    oracle = LosingOracle(world.oracle.leader, decides)
    repo = client(world, oracle)
    oracle.settles = False
    lost = transaction(repo)
    (unknown,) = repo.commit([lost])
    assert unknown.kind is OutcomeKind.UNKNOWN
    assert repo.settle(lost, unknown) == unknown

    world.take_over()
    successor = client(world, world.oracle)
    settled = successor.settle(lost, unknown)
    assert settled.kind is (OutcomeKind.COMMITTED if decides else OutcomeKind.TOO_OLD)
    assert seen(world) == (b"new" if decides else b"old")
    assert successor.settle(lost, unknown) == settled, "for ever"


@pytest.mark.parametrize("decides", [True, False])
def test_f8_below_the_sweep_horizon_the_shadow_cell_decides(world: World, decides: bool) -> None:
    oracle = LosingOracle(world.oracle.leader, decides)
    repo = client(world, oracle)
    oracle.settles = False
    lost = transaction(repo)
    (unknown,) = repo.commit([lost])
    before = seen(world)
    world.clock.ms += 3_600_000
    collector = world.client()
    newest = world.put(collector, other=b"x")
    for _ in range(3):
        collector.collect_garbage(newest)
    world.take_over()
    assert world.cells.scan("OMID_COMMIT_TABLE", b"", None, [b"F:C"], None, 10) != [], "the newest is not swept"
    settled = client(world, world.oracle).settle(lost, unknown)
    assert settled.kind is (OutcomeKind.COMMITTED if decides else OutcomeKind.TOO_OLD)
    assert seen(world) == before


def test_a_store_that_does_not_answer_before_the_commit_is_told_and_nothing_is_committed(world: World) -> None:
    repo = client(world, world.oracle)
    waiting = transaction(repo)
    world.cells.put = _unavailable  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        repo.commit([waiting])
    del world.cells.put
    assert seen(world) == b"old"
    assert repo.commit([waiting])[0].committed, "it may be given to commit again, with an id of its own"


@pytest.mark.parametrize("error", [UnavailableError("down"), SettingsError("disabled"), InvalidMessageError("no")])
def test_what_befalls_a_later_member_does_not_hide_that_an_earlier_one_is_committed(
    world: World, error: AdsIndexError
) -> None:
    repo, put = client(world, world.oracle), world.cells.put
    earlier, later = transaction(repo), transaction(repo)
    later.writes = {Cell(DOCUMENTS, key_of("x"), "content"): b"later"}
    for member in (earlier, later):
        member.write_index(LINKS, key_of("entry"), b"")  # so the later one waits for the earlier one's outcome

    def refuse(table: str, *arguments: Any) -> None:
        if table == NAMES.data(DOCUMENTS):
            raise error
        put(table, *arguments)

    world.cells.put = refuse  # type: ignore[method-assign]
    outcomes = repo.commit([earlier, later])
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.COMMITTED, OutcomeKind.TOO_OLD]
    assert seen(world) == b"new"
    with pytest.raises(type(error)):
        repo.commit([later])


def test_shadow_cells_that_can_not_be_written_change_no_outcome(world: World) -> None:
    repo = client(world, world.oracle)
    waiting, put, calls = transaction(repo), world.cells.put, []

    def first_one_only(*arguments: object) -> None:
        calls.append(arguments[0])
        if len([name for name in calls if name.startswith("adsindex.")]) > 1 and arguments[0] != "OMID_COMMIT_TABLE":
            raise UnavailableError("down")
        put(*arguments)

    world.cells.put = first_one_only  # type: ignore[method-assign]
    assert repo.commit([waiting])[0].committed
    del world.cells.put
    assert seen(world) == b"new"


def _unavailable(*arguments: object) -> None:
    raise UnavailableError("down")
