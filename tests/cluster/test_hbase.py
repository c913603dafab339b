"""All servers together: they answer, come back from kill -9, and keep what was acknowledged; and the command."""

import socket
import sys
from typing import Any

import pytest

from repo.hbase.cells import Family
from tests.support.cluster import RunningCluster
from tests.support.hbase import new_table, real_cells, real_tables
from tests.support.processes import adsindex

SERVERS = ("zookeeper", "master", "regionserver", "thrift")
ROWS = [f"{number:04}".encode() for number in range(1_000)]
VALUES = {row: row for row in ROWS}
A = b"d:a"


@pytest.fixture
def table(hbase_faults: RunningCluster) -> str:
    """With VALUES in it."""
    name = new_table("cluster")
    real_tables(hbase_faults).require({name: {"d": Family(versions=3)}})
    write(hbase_faults, name, 1)
    return name


def read(cluster: RunningCluster, table: str) -> dict[bytes, bytes]:
    cells = real_cells(cluster)
    found = cells.get(table, ROWS, [A])
    cells.close()
    return {row: columns[A].value for row, columns in found.items()}


def write(cluster: RunningCluster, table: str, timestamp: int) -> None:
    cells = real_cells(cluster)
    cells.put(table, timestamp, {row: {A: value} for row, value in VALUES.items()})
    cells.close()


def command(cluster: RunningCluster, name: str, code: int = 0) -> list[dict[str, Any]]:
    """`adsindex cluster NAME --json` for it; what it prints."""
    ran = adsindex("cluster", name, "--data", cluster.data, "--json")
    assert ran.code == code, ran.errors
    (found,) = ran.jsonl
    return found


def test_the_cluster_of_the_run_answers(hbase: RunningCluster) -> None:
    assert [hbase.status(server).problem for server in SERVERS] == ["", "", "", ""]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has 127.0.0.2")
@pytest.mark.parametrize("server", SERVERS)
def test_it_listens_on_the_loopback_interface_only(hbase: RunningCluster, server: str) -> None:
    with socket.socket() as elsewhere:  # which would not be free if it listened at all addresses
        elsewhere.bind(("127.0.0.2", int(hbase.address(server).rpartition(":")[2])))


def test_the_commands_stop_look_and_start_and_the_data_is_kept(hbase_faults: RunningCluster, table: str) -> None:
    before = command(hbase_faults, "status")
    assert [(one["server"], one["problem"]) for one in before] == [(server, "") for server in SERVERS]
    stopped = command(hbase_faults, "down")
    assert command(hbase_faults, "status", code=1) == stopped
    assert [(one["pid"], one["problem"]) for one in stopped] == [(None, "does not run")] * 4
    after = command(hbase_faults, "up")
    assert [one["address"] for one in after] == [one["address"] for one in before]
    assert not {one["pid"] for one in after} & {one["pid"] for one in before}
    assert read(hbase_faults, table) == VALUES


def test_all_are_killed_at_once_and_nothing_acknowledged_is_lost(hbase_faults: RunningCluster, table: str) -> None:
    for server in reversed(SERVERS):
        hbase_faults.kill(server)
    hbase_faults.up()
    assert read(hbase_faults, table) == VALUES


def test_zookeeper_is_killed_and_the_others_go_on_with_the_next(hbase_faults: RunningCluster, table: str) -> None:
    others = [hbase_faults.status(server).pid for server in SERVERS[1:]]
    hbase_faults.kill("zookeeper")
    hbase_faults.up()
    write(hbase_faults, table, 2)
    assert [hbase_faults.status(server).pid for server in SERVERS[1:]] == others
