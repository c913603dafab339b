"""Oracles as processes: one leads, another takes over; nothing committed is lost, nothing aborted comes back."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from proto.errors import UnavailableError
from repo.api import OutcomeKind
from repo.oracle.grpc_client import GrpcOracle
from repo.oracle.leader import Leader
from repo.oracle.port import CommitRequest, Fate
from tests.support.cluster import RunningCluster
from tests.support.oracle_processes import Committers, Oracles, nothing_lost_none_resurrected, oracles, told
from tests.support.oracles import Published
from tests.support.processes import adsindex

THREADS = 8


@pytest.fixture
def two(hbase: RunningCluster, tmp_path: Path) -> Iterator[Oracles]:
    """One leads, one stands by."""
    with oracles(hbase, tmp_path) as both:
        both.start_two()
        yield both


@pytest.fixture
def oracle(two: Oracles) -> GrpcOracle:
    client, _ = two.client()
    return client


def test_a_killed_leader_is_replaced_and_nothing_is_lost(two: Oracles, oracle: GrpcOracle) -> None:
    first = two.leader()
    with Committers(oracle, THREADS) as committers:
        committers.commits(100)
        first.kill()
        before = time.monotonic()
        committers.commits(1)
        print(f"failover after kill -9: {time.monotonic() - before:.2f} s")
        committers.commits(100)
    assert told(two.leader(but=[first]), "leads")[0]["epoch"] > told(first, "leads")[0]["epoch"]
    nothing_lost_none_resurrected(two, oracle, committers)


def test_a_leader_that_was_stopped_and_goes_on_is_fenced(two: Oracles, oracle: GrpcOracle) -> None:
    first = two.leader()
    with Committers(oracle, THREADS) as committers:
        committers.commits(100)
        first.process.send_signal(signal.SIGSTOP)
        committers.commits(100)
        address = told(first, "leads")[0]["address"]
        newest = max(decision.timestamp for decision in committers.told.values())
        first.process.send_signal(signal.SIGCONT)
        _answers_nothing_wrong(address, newest)
        committers.commits(100)
    nothing_lost_none_resurrected(two, oracle, committers)
    second = two.leader(but=[first])
    assert second.process.poll() is None, "the one that leads goes on"
    if first.process.poll() is not None:
        assert first.process.returncode == 1
        assert "another oracle has taken over" in first.text


def _answers_nothing_wrong(address: str, newest: int) -> None:
    """Of a former leader, by a client that does not know that it is one."""
    published = Published()
    published.publish(Leader(address, 0))
    former = GrpcOracle(published, deadline_s=1.0)
    try:
        with pytest.raises(UnavailableError):
            former.begin(at_least=newest)
        [decision] = former.commit([CommitRequest(newest + 1, newest, (1,))])
        assert decision.kind is not OutcomeKind.COMMITTED
    finally:
        former.close()


def test_who_leads_is_shown(two: Oracles, oracle: GrpcOracle) -> None:
    first = two.leader()
    oracle.commit([CommitRequest(*begun, written=(begun.id,)) for begun in oracle.begin(5)])
    shown = adsindex("oracle", "--data", two.folder, "--json")
    assert shown.code == 0, shown.errors
    [status] = shown.jsonl
    assert {"address": status["address"], "epoch": status["epoch"]}.items() <= told(first, "leads")[0].items()
    assert status["rounds"]["commits"] == {"count": 1, "mean": 5.0, "max": 5}
    assert f"oracle at {status['address']}: leads" in adsindex("oracle", "--data", two.folder).output
    for daemon in two.daemons:
        daemon.kill()
    shown = adsindex("oracle", "--data", two.folder)
    assert shown.code == 1 and "no oracle leads" in shown.output


def test_a_leader_that_is_asked_to_end_hands_over(two: Oracles, oracle: GrpcOracle) -> None:
    first = two.leader()
    with Committers(oracle, THREADS) as committers:
        committers.commits(100)
        assert first.stop() == 0
        committers.commits(100)
    assert told(first, "stop")
    nothing_lost_none_resurrected(two, oracle, committers)
    unknown = committers.ids(OutcomeKind.UNKNOWN)
    assert {one.fate for one in oracle.resolve(unknown)} <= {Fate.COMMITTED, Fate.ABORTED}
