"""Clients that are killed between their calls: somebody else settles what they left, once and for all."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from repo.oracle.port import Fate
from tests.support.cluster import RunningCluster
from tests.support.oracle_processes import Oracles, oracles
from tests.support.oracles import PATIENCE_S
from tests.support.processes import ROOT, environment


@pytest.fixture(scope="module")
def one(hbase: RunningCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracles]:
    folder: Path = tmp_path_factory.mktemp("oracle")
    with oracles(hbase, folder) as one:
        one.start()
        one.leader()
        yield one


@pytest.mark.parametrize(
    ("until", "fates"),
    [("begun", {Fate.ABORTED}), ("sent", {Fate.ABORTED, Fate.COMMITTED}), ("answered", {Fate.COMMITTED})],
)
def test_what_it_left_is_settled_once_and_for_all(one: Oracles, until: str, fates: set[Fate]) -> None:
    arguments = [sys.executable, "-m", "tests.support.killed_client", one.prefix, one.cluster.zookeeper, until]
    died = subprocess.run(
        arguments, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    id = int(died.stdout)
    oracle, leaders = one.client()
    try:
        [settled] = oracle.settle([id])
        assert settled.fate in fates
        [begun] = oracle.begin(at_least=settled.commit_timestamp)
        assert begun.snapshot >= settled.commit_timestamp
        assert oracle.settle([id]) == oracle.resolve([id]) == [settled]
    finally:
        oracle.close()
        leaders.close()
    committed = {id: settled.commit_timestamp} if settled.fate is Fate.COMMITTED else {}
    assert one.commit_table([id]) == committed
