"""Ranges for parallel scans: each row lies in exactly one of them, wherever regions begin."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from repo.api import Transaction
from repo.hbase.limits import TIMESTAMP_MAX
from repo.hbase.names import TableNames, column_of
from repo.hbase.shadow_cells import shadow_column
from tests.support.engines import ITEMS, key_of
from tests.support.watched_hbase import World

ROWS = TableNames().data(ITEMS)
COUNT = 300


@pytest.fixture
def world() -> World:
    world = World()
    transaction = Transaction(0)
    for number in range(COUNT):
        transaction.write(ITEMS, key_of(number), "a", b"%d" % number)
    assert world.client().commit([transaction])[0].committed
    return world


def parts(world: World, count: int) -> list[list[bytes]]:
    """Read by as many readers, each with a snapshot of its own, of the same moment."""
    repo = world.client()
    with repo.snapshot() as snapshot:
        at, ranges = snapshot.timestamp, snapshot.partitions(ITEMS, count)
    assert 1 <= len(ranges) <= count

    def keys(bounds: tuple[bytes, bytes | None]) -> list[bytes]:
        with repo.snapshot_at(at) as snapshot:
            return [key for key, _ in snapshot.scan(ITEMS, "a", *bounds, limit=COUNT)]

    with ThreadPoolExecutor(4) as readers:
        return list(readers.map(keys, ranges))


@pytest.mark.parametrize("regions", [1, 2, 7, 40])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_each_row_is_in_one_range(world: World, regions: int, count: int) -> None:
    for number in range(1, regions):
        world.cells.split(ROWS, key_of(number * COUNT // regions))
    found = parts(world, count)
    assert [key for part in found for key in part] == [key_of(number) for number in range(COUNT)]
    assert max(map(len, found)) <= 1.5 * COUNT / count


def test_regions_may_begin_at_what_is_no_key(world: World) -> None:
    for start in (key_of(10) + b"\0", key_of(20) + b"\0\0", key_of(30)[:-1], key_of(40)[:-3], b"zzz"):
        world.cells.split(ROWS, start)
    for count in (2, 3):
        assert [key for part in parts(world, count) for key in part] == [key_of(number) for number in range(COUNT)]


def test_rows_without_shadow_cells_yet_count(world: World) -> None:
    world.cells.delete(
        ROWS, TIMESTAMP_MAX, {key_of(number): [shadow_column(column_of("a"))] for number in range(COUNT)}
    )
    found = parts(world, 8)
    assert len(found) == 8
    assert max(map(len, found)) <= 1.5 * COUNT / 8


def test_where_there_are_regions_enough_no_row_is_read_to_find_ranges(world: World) -> None:
    for number in range(1, 40):
        world.cells.split(ROWS, key_of(number))
    repo = world.client()
    with repo.snapshot() as snapshot:
        world.cells.scan = None  # type: ignore[method-assign, assignment]
        assert len(snapshot.partitions(ITEMS, 8)) == 8
