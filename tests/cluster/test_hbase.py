"""The cluster that other tests get: it answers, recovers from the death of any server, and keeps its data."""

import socket
import sys

import pytest

from tests.support.cluster import RunningCluster

SERVERS = ("zookeeper", "master", "regionserver", "thrift")


def test_the_cluster_of_the_run_answers(hbase: RunningCluster) -> None:
    assert [hbase.status(server).problem for server in SERVERS] == ["", "", "", ""]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has 127.0.0.2")
@pytest.mark.parametrize("server", SERVERS)
def test_it_listens_on_the_loopback_interface_only(hbase: RunningCluster, server: str) -> None:
    with socket.socket() as elsewhere:  # which would not be free if it listened at all addresses
        elsewhere.bind(("127.0.0.2", int(hbase.address(server).rpartition(":")[2])))


@pytest.mark.parametrize("server", SERVERS)
def test_a_killed_server_is_noticed_and_started_again(hbase_faults: RunningCluster, server: str) -> None:
    before = hbase_faults.status(server)
    hbase_faults.kill(server)
    assert hbase_faults.status(server).problem == "does not run"
    hbase_faults.up()
    after = hbase_faults.status(server)
    assert (after.problem, after.address) == ("", before.address)
    assert after.pid != before.pid
