"""Omid's mark of a deleted family: read as if its transaction had deleted each cell below, healed, and never collected.
Omid's own client writes it in tests/cluster/test_omid_is_read_by_us.py."""

import pytest

from repo.api import Transaction, Version
from repo.hbase.names import DELETED, TableNames
from repo.hbase.shadow_cells import encode_shadow, shadow_column
from repo.oracle.port import CommitRequest
from tests.support.engines import DOCUMENTS, ITEMS, LINKS, key_of
from tests.support.watched_hbase import Calls, World

X = key_of("x")
NAMES = TableNames()
MARK_SHADOW = shadow_column(DELETED)
HOUR_MS = 3_600_000


@pytest.fixture
def world() -> World:
    world = World()
    world.client()  # it makes the tables
    return world


def mark(world: World, table: str = ITEMS, committed: bool = True) -> tuple[int, int]:
    """Puts it without its shadow cell; returns its id and commit timestamp."""
    (begun,) = world.oracle.begin()
    world.cells.put_mark(NAMES.data(table), begun.id, X, "d")
    if not committed:
        return begun.id, 0
    (decision,) = world.oracle.commit([CommitRequest(begun.id, begun.snapshot, (17,))])
    return begun.id, decision.timestamp


def read(world: World, at: int | None = None, table: str = ITEMS, group: str = "a") -> Version | None:
    repo = world.client()
    with repo.snapshot() if at is None else repo.snapshot_at(at) as snapshot:
        (version,) = snapshot.read(table, group, [X])
    return version


def test_it_hides_what_is_below_it_and_nothing_else(world: World) -> None:
    first = world.put(world.client(), x=b"1")
    _, deleted = mark(world)
    assert read(world) == Version(deleted, None)
    assert read(world, at=first) == Version(first, b"1")
    second = world.put(world.client(), x=b"2")
    assert read(world) == Version(second, b"2")
    assert read(world, at=deleted) == Version(deleted, None)


def test_a_version_that_is_written_at_its_commit_timestamp_is_hidden(world: World) -> None:
    """Omid compares with the version, and takes equal ones for older."""
    _, deleted = mark(world)
    world.cells.put(NAMES.data(ITEMS), deleted, {X: {b"d:a": b"x", shadow_column(b"d:a"): encode_shadow(deleted)}})
    assert read(world) == Version(deleted, None)


def test_of_several_marks_the_one_that_is_committed_counts(world: World) -> None:
    world.put(world.client(), x=b"1")
    _, deleted = mark(world)
    mark(world, committed=False)
    assert read(world) == Version(deleted, None)
    second = world.put(world.client(), x=b"2")
    mark(world, committed=False)
    assert read(world) == Version(second, b"2")


def test_scans_entries_and_the_newest_are_without_what_it_hides(world: World) -> None:
    repo = world.client()
    transaction = Transaction(repo.last_timestamp())
    transaction.write(ITEMS, X, "a", b"x")
    transaction.write(DOCUMENTS, X, "build", b"x")
    transaction.write_index(LINKS, X, b"")
    assert repo.commit([transaction])[0].committed
    deleted = {table: mark(world, table)[1] for table in (ITEMS, DOCUMENTS, LINKS)}
    with world.client().snapshot() as snapshot:
        assert snapshot.scan(ITEMS, "a") == []
        assert snapshot.scan_prefixes(LINKS, [X], 10) == [[]]
    assert read(world, table=DOCUMENTS, group="build") == Version(deleted[DOCUMENTS], None)


def test_a_history_tells_of_it_where_it_deleted_something(world: World) -> None:
    mark(world)
    first = world.put(world.client(), x=b"1")
    _, deleted = mark(world)
    mark(world)  # there was nothing any more
    second = world.put(world.client(), x=b"2")
    gone = world.put(world.client(), x=None)
    mark(world)
    with world.client().snapshot() as snapshot:
        assert snapshot.history(ITEMS, "a", X) == [
            Version(gone, None), Version(second, b"2"), Version(deleted, None), Version(first, b"1")
        ]  # fmt: skip
        assert snapshot.history(ITEMS, "a", X, limit=3)[2:] == [Version(deleted, None)]
    with world.client().snapshot_at(first) as before:
        assert before.history(ITEMS, "a", X) == [Version(first, b"1")]


def test_the_walk_heals_it_before_the_sweep_and_leaves_it(world: World) -> None:
    world.put(world.client(), x=b"1")
    older, _ = mark(world)
    id, deleted = mark(world)
    world.clock.ms += HOUR_MS
    newest = world.put(world.client(), other=b"x")
    for _ in range(3):
        world.client().collect_garbage(newest)
    assert world.cells.get("OMID_COMMIT_TABLE", [b"\0" + id.to_bytes(8, "big")], [b"F:C"]) == {}, "swept"
    shadows = world.cells.versions(NAMES.data(ITEMS), X, MARK_SHADOW, None, 10)
    assert [shadow.timestamp for shadow in shadows] == [id, older]
    with world.client().snapshot() as snapshot:
        assert snapshot.scan(ITEMS, "a") == [(key_of("other"), Version(newest, b"x"))]
    assert deleted < newest


def test_rows_without_a_mark_cost_no_call(world: World) -> None:
    world.put(world.client(), x=b"1")
    calls = Calls()
    with world.client(calls).snapshot() as snapshot:
        snapshot.read(ITEMS, "a", [X])
    assert [name.split()[0] for name in calls.names] == ["snapshot", "get", "get"]
