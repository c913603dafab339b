"""The servers that an oracle stands on are restarted under it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from repo.api import OutcomeKind
from tests.support.cluster import RunningCluster
from tests.support.oracle_processes import Committers, Oracles, nothing_lost_none_resurrected, oracles, told


@pytest.fixture
def two(hbase_faults: RunningCluster, tmp_path: Path) -> Iterator[Oracles]:
    with oracles(hbase_faults, tmp_path) as both:
        both.start_two()
        yield both


@pytest.mark.parametrize("server", ["zookeeper", "thrift"])
def test_a_server_is_restarted(two: Oracles, hbase_faults: RunningCluster, server: str) -> None:
    leader = two.leader()
    oracle, _ = two.client()
    with Committers(oracle, 4) as committers:
        committers.commits(20)
        hbase_faults.restart(server)
        committers.commits(20)
    nothing_lost_none_resurrected(two, oracle, committers)
    if server == "zookeeper":
        assert told(leader, "standby")[0]["text"].endswith("leads no more"), "a suspended connection counts as lost"
    else:
        assert len(told(leader, "leads")) == 1 and not committers.ids(OutcomeKind.UNKNOWN), "it waits for the store"
        assert f"Thrift at {hbase_faults.thrift}; it goes on trying" in told(leader, "trouble")[0]["text"]
