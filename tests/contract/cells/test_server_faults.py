"""HBase's servers die and come back under the cell port: a clear error or none, and no acknowledged write is lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from proto.errors import UnavailableError
from repo.hbase.cells import Family, Stored
from repo.hbase.thrift import ThriftCells
from tests.support.cluster import RunningCluster
from tests.support.hbase import new_table, real_cells, real_tables

A = b"d:a"


@dataclass
class Faulty:
    """Cells on a cluster whose servers may be killed, with a table."""

    cluster: RunningCluster
    cells: ThriftCells
    table: str

    def put(self, timestamp: int) -> None:
        self.cells.put(self.table, timestamp, {b"r": {A: b"v"}})

    def timestamps(self) -> list[int]:
        return [stored.timestamp for stored in self.cells.versions(self.table, b"r", A, None, 10)]


@pytest.fixture
def faulty(hbase_faults: RunningCluster) -> Iterator[Faulty]:
    cells, table = real_cells(hbase_faults), new_table("faults")
    real_tables(hbase_faults).require({table: {"d": Family(versions=100)}})
    yield Faulty(hbase_faults, cells, table)
    cells.close()


def test_a_gateway_that_was_restarted_between_calls_is_not_noticed(faulty: Faulty) -> None:
    faulty.put(10)
    faulty.cluster.restart("thrift")
    faulty.put(20)
    faulty.cluster.restart("thrift")
    assert faulty.timestamps() == [20, 10]


def test_a_gateway_that_is_away_is_named_and_comes_back(faulty: Faulty) -> None:
    faulty.put(10)
    faulty.cluster.kill("thrift")
    with pytest.raises(UnavailableError, match=rf"{faulty.table}.*{faulty.cluster.thrift}.*look whether it runs"):
        faulty.put(20)
    faulty.cluster.up()
    faulty.put(30)
    assert faulty.timestamps() == [30, 10]


def test_a_region_server_that_is_killed_holds_a_put_up_and_loses_nothing(faulty: Faulty) -> None:
    faulty.put(10)
    faulty.cluster.kill("regionserver")
    with ThreadPoolExecutor(1) as threads:
        put = threads.submit(faulty.put, 20)
        faulty.cluster.up()
        try:
            put.result()
        except UnavailableError:
            faulty.put(20)
    assert faulty.cells.versions(faulty.table, b"r", A, None, 10) == [Stored(20, b"v"), Stored(10, b"v")]


def test_a_master_that_is_away_stops_tables_only(faulty: Faulty) -> None:
    faulty.cluster.kill("master")
    with pytest.raises(UnavailableError, match="master"):
        real_tables(faulty.cluster).require({faulty.table: {"d": Family(versions=100)}})
    faulty.put(10)
    assert faulty.timestamps() == [10]
