"""Messages go when they are so old that everything about their ids is settled, of rows that are there or not."""

import pytest

from repo.api import Transaction
from repo.hbase.names import TableNames
from repo.hbase.repo import HbaseRepo
from tests.support.engines import ITEMS, LINKS, key_of
from tests.support.watched_hbase import World

ROWS, ENTRIES = TableNames().data(ITEMS), TableNames().data(LINKS)
HOUR_MS = 3_600_000


@pytest.fixture
def world() -> World:
    return World()


def tell(repo: HbaseRepo, *keys: str, value: bytes | None = b"x") -> None:
    for key in keys:
        transaction = Transaction(repo.last_timestamp())
        if value is None:
            transaction.delete(ITEMS, key_of(key), "a")
        else:
            transaction.write(ITEMS, key_of(key), "a", value)
        transaction.notify("changes", 0, key.encode())
        transaction.notify("changes", 1, key.encode())
        assert repo.commit([transaction])[0].committed


def told(world: World, table: str = ROWS) -> list[bytes]:
    """Rows with messages."""
    return [row for row, _ in world.cells.scan(table, b"", None, [b"n"], None, 10_000)]


def collect(world: World, limit: int = 10_000, rounds: int = 3) -> int:
    repo = world.client()
    newest = repo.last_timestamp()
    return sum(repo.collect_garbage(newest, limit) for _ in range(rounds))


def test_they_go_with_a_row_that_was_deleted(world: World) -> None:
    tell(world.client(), "gone")
    tell(world.client(), "gone", value=None)
    world.clock.ms += HOUR_MS
    tell(world.client(), "new")
    collect(world)
    assert world.cells.scan(ROWS, b"", key_of("new"), [b"d", b"n"], None, 10) == []
    assert told(world) == [key_of("new")]


def test_they_go_from_a_row_that_stays_and_their_count_is_told(world: World) -> None:
    tell(world.client(), "kept")
    world.clock.ms += HOUR_MS
    world.put(world.client(), other=b"x")
    assert collect(world) == 2
    assert told(world) == []
    with world.client().snapshot() as snapshot:
        assert snapshot.read(ITEMS, "a", [key_of("kept")])[0] is not None


def test_they_go_from_the_rows_of_an_index_too(world: World) -> None:
    repo = world.client()
    transaction = Transaction(repo.last_timestamp())
    transaction.write_index(LINKS, key_of("x"), b"")
    transaction.notify("changes", 0, b"x")
    assert repo.commit([transaction])[0].committed
    assert told(world, ENTRIES) == [key_of("x")]
    world.clock.ms += HOUR_MS
    world.put(world.client(), other=b"x")
    collect(world)
    assert told(world, ENTRIES) == []


def test_they_stay_as_long_as_a_repeated_write_may_land(world: World) -> None:
    """And above the watermark, which a lease holds back, in any case."""
    repo = world.client()
    tell(repo, "x")
    collect(world)
    assert told(world) == [key_of("x")]
    with repo.snapshot() as snapshot, repo.lease(snapshot, 2 * HOUR_MS / 1000):
        world.clock.ms += HOUR_MS
        world.put(repo, other=b"x")
        collect(world)
        assert told(world) == [key_of("x")]


def test_slices_meet_all_of_them_whatever_lies_between(world: World) -> None:
    keys = [f"{number:03}" for number in range(60)]
    tell(world.client(), *keys)
    tell(world.client(), *keys[10:50], value=None)
    world.clock.ms += HOUR_MS
    tell(world.client(), "new")
    collect(world, limit=7, rounds=200)
    assert told(world) == [key_of("new")]
    assert len(world.cells.scan(ROWS, b"", None, [b"d"], None, 100)) == 21


def test_a_slice_stays_a_slice_where_the_first_group_of_a_table_is_empty(world: World) -> None:
    repo = world.client()
    for number in range(40):
        transaction = Transaction(repo.last_timestamp())
        transaction.write(ITEMS, key_of(f"{number:03}"), "b", b"x")
        transaction.notify("changes", 0, b"x")
        assert repo.commit([transaction])[0].committed
    world.clock.ms += HOUR_MS
    world.put(repo, other=b"x")
    left = [40]
    while left[-1]:
        collect(world, limit=7, rounds=1)
        left.append(len(told(world)))
        assert left[-2] - left[-1] <= 7
    assert len(left) < 20
