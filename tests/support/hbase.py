"""Cells and tables of a real HBase, for tests."""

import time
from collections.abc import Callable
from secrets import token_hex

from ops.engine.clock import SystemClock
from proto.ports.clock import Clock
from repo.hbase.tables import MasterTables
from repo.hbase.thrift import ThriftCells
from tests.support.cluster import RunningCluster

PATIENCE_S = 120.0


def real_cells(cluster: RunningCluster, clock: Clock | None = None) -> ThriftCells:
    host, port = cluster.thrift.rsplit(":", 1)
    return ThriftCells(host, int(port), clock or SystemClock())


def real_tables(cluster: RunningCluster) -> MasterTables:
    return MasterTables(cluster.zookeeper, SystemClock(), time.sleep)


def new_table(prefix: str) -> str:
    """A name that nobody has: the cluster is shared by all tests of a run, and may be kept for the next."""
    return f"{prefix}.{token_hex(4)}"


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Waits for what the servers do in the background."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_S:.0f} s"
        time.sleep(0.05)
