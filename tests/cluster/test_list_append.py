"""List-append by client processes while leading oracles are killed, judged by what the clients were told alone."""

from pathlib import Path

from tests.judge.checker import anomalies
from tests.judge.run import running, told
from tests.support.cluster import RunningCluster


def test_leaders_are_killed_and_the_history_is_snapshot_isolated(hbase: RunningCluster, tmp_path: Path) -> None:
    with running(hbase, tmp_path) as run:
        run.await_more(200)
        for _ in range(2):
            run.kill_leader()
            run.await_more(200)
        run.kill_client()
        run.await_more(200)
        history = run.end()
    print(told(history))
    assert anomalies(history) == []
