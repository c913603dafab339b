"""A table that can't be walked holds up no other, is named, and keeps what it needs from being swept."""

from contextlib import suppress

import pytest

from proto.errors import AdsIndexError, CorruptionError, SettingsError, UnavailableError
from repo.api import TableSpec, Transaction
from repo.hbase.gc_state import GcState, GcStateCell
from repo.hbase.names import TableNames
from repo.hbase.repo import HbaseRepo
from tests.support.engines import DOCUMENTS, ITEMS, TABLES, key_of
from tests.support.watched_hbase import Calls, World

NAMES = TableNames()
FIRST, BROKEN = NAMES.data(DOCUMENTS), NAMES.data(ITEMS)
"""The walk meets them in this order, and LAST behind them."""
LAST = "zoo"
DISABLED = SettingsError("the table is disabled")
HOUR_MS = 3_600_000
X = key_of("x")


class Away:
    """A table that can't be read while `error` is set."""

    def __init__(self, calls: Calls, table: str) -> None:
        self.error: AdsIndexError | None = None
        self._calls, self._table = calls, table
        calls.before = self._look

    def _look(self, number: int) -> None:
        if self.error is not None and self._calls.names[number].endswith(f" {self._table}"):
            raise self.error


@pytest.fixture
def world() -> World:
    world = World()
    repo = world.client()
    repo.declare([*TABLES, TableSpec(LAST, dict(TABLES[0].groups))])
    return world


def write(world: World, value: bytes) -> int:
    """A version of a cell in the table before and the one behind."""
    repo = world.client()
    transaction = Transaction(repo.last_timestamp())
    transaction.write(DOCUMENTS, X, "content", value)
    transaction.write(LAST, X, "a", value)
    (outcome,) = repo.commit([transaction])
    assert outcome.committed
    return outcome.commit_timestamp


def state(world: World) -> GcState:
    return GcStateCell(world.cells, NAMES.gc, b"looking").read()


@pytest.mark.parametrize("error", [DISABLED, UnavailableError("no region server"), CorruptionError("rubbish")])
def test_the_others_are_collected_and_the_error_names_the_table(world: World, error: AdsIndexError) -> None:
    for value in (b"1", b"2", b"3"):
        newest = write(world, value)
    collector, _ = collecting(world, error)
    for _ in range(2):
        with pytest.raises(type(error), match=f"table '{ITEMS}' .*{error}"):
            collector.collect_garbage(newest)
    assert versions(world, FIRST, b"d:content") == 1
    assert versions(world, NAMES.data(LAST), b"d:a") == 3, "it comes behind"
    assert collector.collect_garbage(newest) == 2
    assert versions(world, NAMES.data(LAST), b"d:a") == 1


def test_nothing_is_swept_that_the_table_still_needs(world: World) -> None:
    world.put_and_die(b"x", after="commit")
    world.clock.ms += HOUR_MS
    newest = write(world, b"newest")
    collector, table = collecting(world, DISABLED)
    for _ in range(9):
        with suppress(SettingsError):
            collector.collect_garbage(newest)
    assert state(world).sweep_horizon == 0
    assert read(world) == b"x", "by the commit table: its shadow cell is lost"
    table.error = None
    for _ in range(3):
        collector.collect_garbage(newest)
    assert state(world).sweep_horizon > 0
    assert read(world) == b"x"


def test_a_walk_that_somebody_else_has_spoilt_counts_for_nobody(world: World) -> None:
    """One collector leaves the table out in the middle of the walk; the other one ends it."""
    write(world, b"1")
    world.clock.ms += HOUR_MS
    newest = write(world, b"2")
    collector, _ = collecting(world, DISABLED)
    for _ in range(2):
        try_to_collect(collector, newest)
    assert state(world).position[0] > ITEMS
    world.client().collect_garbage(newest)
    assert (state(world).position[0], state(world).sweep_horizon) == ("", 0)
    world.client().collect_garbage(newest)
    assert state(world).sweep_horizon > 0, "of a whole walk"


def test_a_passing_trouble_costs_nothing_of_the_walk(world: World) -> None:
    world.clock.ms += HOUR_MS
    newest = write(world, b"x")
    collector, table = collecting(world, UnavailableError("for a moment"))
    try_to_collect(collector, newest)
    table.error = None
    collector.collect_garbage(newest)
    assert (state(world).position[0], state(world).sweep_horizon > 0) == ("", True)


def test_healing_of_a_table_that_is_away_holds_up_nothing(world: World) -> None:
    world.put_and_die(b"x", after="commit")
    for value in (b"1", b"2"):
        newest = write(world, value)
    collector, table = collecting(world, None)
    with collector.snapshot() as snapshot:
        assert snapshot.read(ITEMS, "a", [X])[0] is not None  # it is to be healed now
    table.error = DISABLED
    try_to_collect(collector, newest)
    assert versions(world, FIRST, b"d:content") == 1


def collecting(world: World, error: AdsIndexError | None) -> tuple[HbaseRepo, Away]:
    """A collector, and the table that fails it."""
    calls = Calls()
    collector, table = world.client(calls), Away(calls, BROKEN)
    table.error = error
    return collector, table


def try_to_collect(collector: HbaseRepo, newest: int) -> None:
    with pytest.raises(AdsIndexError, match="can't be collected"):
        collector.collect_garbage(newest)


def versions(world: World, table: str, column: bytes) -> int:
    return len(world.cells.versions(table, X, column, None, 100))


def read(world: World) -> bytes | None:
    with world.client().snapshot() as snapshot:
        (found,) = snapshot.read(ITEMS, "a", [X])
    return None if found is None else found.value
