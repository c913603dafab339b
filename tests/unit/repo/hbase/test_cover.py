"""An aborted cell on top of a cold row is covered: readers need not step down any more."""

import pytest

from repo.api import Cell, Transaction
from repo.hbase.names import TableNames
from tests.support.engines import DOCUMENTS, LINKS, key_of
from tests.support.watched_hbase import Calls, Killed, World

X, Y = key_of("x"), key_of("y")
DOCUMENT_ROWS = TableNames().data(DOCUMENTS)


def write(world: World, value: bytes, calls: Calls | None = None) -> None:
    """A document, its companion and an entry; and another that is deleted."""
    repo = world.client(calls)
    transaction = Transaction(repo.last_timestamp())
    transaction.write(DOCUMENTS, X, "build", value)
    transaction.companions[Cell(DOCUMENTS, X, "content")] = value
    transaction.delete(DOCUMENTS, Y, "build")
    transaction.write_index(LINKS, X, value)
    assert repo.commit([transaction])[0].committed


def bury(world: World) -> None:
    """The companion stays."""
    repo = world.client()
    transaction = Transaction(repo.last_timestamp())
    transaction.delete(DOCUMENTS, X, "build")
    assert repo.commit([transaction])[0].committed


def seen(world: World, calls: Calls | None = None) -> list[object]:
    with world.client(calls).snapshot() as snapshot:
        found = [snapshot.read(DOCUMENTS, group, [X, Y]) for group in ("build", "content")]
        entries = snapshot.scan_prefixes(LINKS, [X], 10)
    return [[version and version.value for version in versions] for versions in found] + [entries]


@pytest.fixture
def world() -> World:
    """A writer has died before it could commit."""
    world, calls = World(), Calls()
    write(world, b"committed")

    def kill(number: int) -> None:
        if calls.names[number] == "commit":
            raise Killed

    calls.before = kill
    with pytest.raises(Killed):
        write(world, b"aborted", calls)
    return world


def collect(world: World) -> None:
    newest = world.put(world.client(), newest=b"x")
    for _ in range(2):
        world.client().collect_garbage(newest)


def test_what_is_committed_comes_on_top_and_reads_the_same(world: World) -> None:
    before, calls = seen(world), Calls()
    collect(world)
    seen(world, calls)
    assert f"get {TableNames().commit_table}" in calls.names, "not while it might still be committed"
    world.clock.ms += 3_600_000
    collect(world)
    assert seen(world) == before
    watched = Calls()
    with world.client(watched).snapshot() as snapshot:
        snapshot.read(DOCUMENTS, "build", [X, Y])
        snapshot.read(DOCUMENTS, "content", [X, Y])
    assert f"get {TableNames().commit_table}" not in watched.names


@pytest.mark.parametrize("call", ["begin", f"put {DOCUMENT_ROWS}"])
def test_who_writes_meanwhile_wins(world: World, call: str) -> None:
    """Also who writes a companion, which has no check of its own: its guard, in the same row, has."""
    check_overtaking(world, call)


@pytest.mark.parametrize("call", ["begin", f"put {DOCUMENT_ROWS}"])
def test_who_writes_again_what_was_deleted_wins(world: World, call: str) -> None:
    """The companion's guard has no version any more, and is checked all the same."""
    bury(world)
    check_overtaking(world, call)


def check_overtaking(world: World, call: str) -> None:
    """call: of the collector's, right before which somebody writes."""
    world.clock.ms += 3_600_000
    calls = Calls()
    collector = world.client(calls)
    newest = world.put(world.client(), newest=b"x")

    def overtake(number: int) -> None:
        if calls.names[number] == call:
            calls.before = lambda number: None
            write(world, b"new")

    calls.before = overtake
    collector.collect_garbage(newest)
    assert seen(world) == [[b"new", None], [b"new", None], [[(X, b"new")]]]
