"""List-append by client processes while leading oracles are killed, judged by what the clients were told alone."""

from pathlib import Path

from tests.judge.checker import anomalies
from tests.judge.run import in_short, running
from tests.support.cluster import RunningCluster


def test_leaders_are_killed_and_the_history_is_snapshot_isolated(hbase: RunningCluster, tmp_path: Path) -> None:
    with running(hbase, tmp_path) as run:
        run.await_more(100)
        for _ in range(2):
            run.kill_leader()
            run.await_more(100)
        run.kill_client()
        run.await_more(100)
        history = run.end()
    print(in_short(history))
    assert anomalies(history) == []


def test_servers_are_killed_and_restarted_under_it(hbase_faults: RunningCluster, tmp_path: Path) -> None:
    with running(hbase_faults, tmp_path) as run:
        run.await_more(100)
        hbase_faults.kill("regionserver")
        hbase_faults.up()
        run.await_more(100)
        hbase_faults.restart("thrift")
        run.await_more(100)
        hbase_faults.restart("zookeeper")
        run.await_more(100)
        run.stop_leader()
        run.await_more(100)
        history = run.end()
    print(in_short(history))
    assert anomalies(history) == []
