"""Both implementations of the cell port, each test with a table of its own: the twin is proven against the real one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import happybase
import pytest

from repo.hbase.cells import Cells, Family, Tables
from repo.hbase.memory import MemoryCells
from tests.support.cluster import RunningCluster
from tests.support.engines import ManualClock
from tests.support.hbase import new_table, real_cells, real_tables

FAMILIES = {"d": Family(versions=2**31 - 1), "n": Family(versions=3, scope=1)}


@dataclass
class Served:
    """A port, and a table there with FAMILIES.

    flush: has what was written so far put into files; compact: has the files compacted, soon.
    """

    cells: Cells
    tables: Tables
    table: str
    flush: Callable[[], None]
    compact: Callable[[], None]


def memory(request: pytest.FixtureRequest) -> Iterator[Served]:
    cells = MemoryCells(ManualClock())
    cells.require({"cells.t": FAMILIES})
    yield Served(cells, cells, "cells.t", lambda: None, cells.compact)


def thrift(request: pytest.FixtureRequest) -> Iterator[Served]:
    cluster: RunningCluster = request.getfixturevalue("hbase")
    cells, tables, table = real_cells(cluster), real_tables(cluster), new_table("cells")
    tables.require({table: FAMILIES})

    def compact() -> None:
        host, port = cluster.thrift.rsplit(":", 1)
        connection = happybase.Connection(host, int(port))
        connection.compact_table(table, major=True)  # and gets a minor one (HBase 2.6.1)
        connection.close()

    yield Served(cells, tables, table, lambda: tables.flush(table), compact)
    cells.close()
    tables.drop(table)


@pytest.fixture(params=[memory, pytest.param(thrift, marks=pytest.mark.cluster)], ids=lambda make: make.__name__)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    yield from request.param(request)
