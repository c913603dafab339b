"""A bulk scan of a table with several regions, in parallel, at one snapshot, while others write."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from secrets import token_bytes
from threading import Lock

import pytest

from ops.engine.clock import SystemClock
from repo.api import Transaction
from repo.hbase.names import DATA_FAMILIES, TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.repo import HbaseRepo, HbaseSettings
from repo.oracle.in_process import InProcessOracle
from repo.oracle.oracle import Oracle
from repo.oracle.state_machine import OracleLimits
from tests.support.cluster import RunningCluster
from tests.support.engines import ITEMS, TABLES, key_of
from tests.support.hbase import new_table, real_cells, real_tables

ROWS, REGIONS = 2_000, 6


@pytest.fixture
def repo(hbase: RunningCluster) -> Iterator[HbaseRepo]:
    """Its table `items` has REGIONS regions."""
    cells, tables, clock = real_cells(hbase), real_tables(hbase), SystemClock()
    names = TableNames(new_table("scans") + ".")
    tables.create(
        {names.data(ITEMS): DATA_FAMILIES}, [key_of(number * ROWS // REGIONS) for number in range(1, REGIONS)]
    )
    tables.require(oracle_tables(names))
    leader = Oracle(oracle_storage(cells, names, token_bytes(8)), clock, OracleLimits(cells_max=100_000), guard=Lock())
    oracle = InProcessOracle(leader, turn=Lock())
    made = HbaseRepo(cells, tables, oracle, clock, token_bytes(8), HbaseSettings(names.prefix))
    made.declare([spec for spec in TABLES if spec.name == ITEMS])
    yield made
    for table in (names.data(ITEMS), names.commit_table, names.catalog, names.gc, names.oracle):
        tables.drop(table)
    cells.close()


def write_all(repo: HbaseRepo, value: bytes) -> None:
    transaction = Transaction(repo.last_timestamp())
    for number in range(ROWS):
        transaction.write(ITEMS, key_of(number), "a", value)
    assert repo.commit([transaction])[0].committed


@pytest.mark.parametrize("count", [3, 8])
def test_every_row_is_read_once_as_of_one_moment(repo: HbaseRepo, count: int) -> None:
    """3: ranges of whole regions; 8: more than there are."""
    write_all(repo, b"old")
    with repo.snapshot() as snapshot:
        at, ranges = snapshot.timestamp, snapshot.partitions(ITEMS, count)
    assert len(ranges) == count

    def scan(bounds: tuple[bytes, bytes | None]) -> list[tuple[bytes, bytes | None]]:
        found: list[tuple[bytes, bytes | None]] = []
        after, before = bounds
        with repo.snapshot_at(at) as snapshot:
            while rows := snapshot.scan(ITEMS, "a", after, before, limit=100):
                found += [(key, version.value) for key, version in rows]
                after = rows[-1][0]
        return found

    with ThreadPoolExecutor(3) as threads:
        scans = [threads.submit(scan, bounds) for bounds in ranges]
        write_all(repo, b"new")
        found = [row for one in scans for row in one.result()]
    assert found == [(key_of(number), b"old") for number in range(ROWS)]
