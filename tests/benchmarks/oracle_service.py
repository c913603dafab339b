"""Our oracle beside Omid's, each as a process, asked over its own wire by one client process here:
`make bench-oracle` or `python -m tests.benchmarks.oracle_service [--seconds 3] [--data DIR]`.

Pairs of a begin and a commit of 4 random cells, n in flight: four threads that each begin n/4 at once, then commit them
at once. Then a pair at a time at 300 a second, whether answers come or not (latency from when it was due). With the
commit table in memory and in HBase. Last, how long nobody commits when our leader is killed. Nothing is asserted.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple, Protocol

from ops.cluster.cluster import Cluster
from ops.cluster.hbase import HBASE
from ops.engine.clock import SystemClock
from repo.api import OutcomeKind
from repo.oracle.grpc_client import GrpcOracle
from repo.oracle.grpc_service import OracleService
from repo.oracle.leader import Leader
from repo.oracle.memory import MemoryCommitTable, MemoryStateChain
from repo.oracle.oracle import Oracle
from repo.oracle.port import Begun, CommitRequest, Decision
from repo.oracle.storage import OracleStorage
from tests.benchmarks.omid_server import omid
from tests.support.cluster import RunningCluster
from tests.support.hbase import real_tables
from tests.support.oracle_processes import oracles
from tests.support.oracles import Published
from tests.support.processes import ROOT, environment

IN_FLIGHT = (1, 16, 64, 256, 1_024, 4_096)
OPEN_LOOP_A_SECOND = 300
CELLS = 4
THREADS = 4


class Asked(Protocol):
    """What both clients have."""

    def begin(self, count: int = 1) -> list[Begun]: ...

    def commit(self, requests: Sequence[CommitRequest]) -> list[Decision]: ...


class Figure(NamedTuple):
    """a_second: pairs; times of one round of n begins and n commits."""

    a_second: float
    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        return f"{self.a_second:9,.0f}/s  {self.p50_ms:7.2f} {self.p99_ms:7.2f}"


def closed_loop(oracle: Asked, in_flight: int, seconds: float) -> Figure:
    """Shared out among a few threads; in each the next round begins when the one before has been answered."""
    times: list[float] = []
    threads = min(in_flight, THREADS)
    begin = time.perf_counter()

    def one(random: Random) -> None:
        while (started := time.perf_counter()) < begin + seconds:
            _pairs(oracle, in_flight // threads, random)
            times.append(time.perf_counter() - started)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, map(Random, range(threads))))
    return _figure(len(times) * (in_flight // threads) / (time.perf_counter() - begin), times)


def open_loop(oracle: Asked, a_second: int, seconds: float, random: Random) -> Figure:
    """A pair is due each 1/a_second s."""
    times: list[float] = []
    begin = time.perf_counter() + 0.1
    due = [begin + at / a_second for at in range(int(a_second * seconds))]

    def one(at: float) -> None:
        _pairs(oracle, 1, random)
        times.append(time.perf_counter() - at)

    with ThreadPoolExecutor(64) as pool:
        for at in due:
            time.sleep(max(at - time.perf_counter(), 0.0))
            pool.submit(one, at)
    return _figure(len(times) / (time.perf_counter() - begin), times)


def _pairs(oracle: Asked, count: int, random: Random) -> None:
    requests = [
        CommitRequest(*begun, written=tuple(random.getrandbits(63) for _ in range(CELLS)))
        for begun in oracle.begin(count)
    ]
    assert all(decision.kind is OutcomeKind.COMMITTED for decision in oracle.commit(requests))


def _figure(a_second: float, times: list[float]) -> Figure:
    times.sort()
    return Figure(a_second, times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3)


def failover_s(cluster: RunningCluster) -> float:
    """From kill -9 of the leader to the next commit."""
    with TemporaryDirectory() as folder, oracles(cluster, Path(folder)) as both:
        first = both.start()
        both.leader()
        both.start()
        oracle, leaders = both.client()
        with closing(leaders), closing(oracle):
            _pairs(oracle, 1, Random(0))
            first.kill()
            killed = time.perf_counter()
            _pairs(oracle, 1, Random(1))
            return time.perf_counter() - killed


@contextmanager
def ours_in_memory() -> Iterator[Asked]:
    command = [sys.executable, "-m", "tests.benchmarks.oracle_service", "--serve"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        published = Published()
        published.publish(Leader(process.stdout.readline().strip(), 1))
        with closing(GrpcOracle(published)) as oracle:
            yield oracle
        process.terminate()


@contextmanager
def ours_in_hbase(cluster: RunningCluster) -> Iterator[Asked]:
    with TemporaryDirectory() as folder, oracles(cluster, Path(folder)) as one:
        one.start()
        one.leader()
        oracle, leaders = one.client()
        with closing(leaders), closing(oracle):
            yield oracle


def serve_in_memory() -> None:
    """Until it is killed."""
    service = OracleService()
    print(service.start("127.0.0.1", 0), flush=True)
    storage = OracleStorage(MemoryStateChain(), MemoryCommitTable())
    service.lead(Oracle(storage, SystemClock(), guard=threading.Lock()), lambda: True)


def compare(title: str, ours: Asked, others: Asked, seconds: float) -> None:
    """One table; the two are asked in turn."""
    print(
        f"\n{title}\n{'':24}{'ours: pairs':>11}      p50 ms  p99 ms   {'Omid: pairs':>11}      p50 ms  p99 ms   ratio"
    )
    rows: list[tuple[str, Callable[[Asked], Figure]]] = [
        (f"{n:,} in flight", lambda oracle, n=n: closed_loop(oracle, n, seconds)) for n in IN_FLIGHT
    ]
    rows.append(
        (
            f"open loop, {OPEN_LOOP_A_SECOND}/s",
            lambda oracle: open_loop(oracle, OPEN_LOOP_A_SECOND, 2 * seconds, Random(1)),
        )
    )
    for name, measured in rows:
        mine, theirs = measured(ours), measured(others)
        print(f"{name:22}{mine}   {theirs}   {mine.a_second / theirs.a_second:5.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--data", type=Path, default=ROOT / ".bench" / "oracle", help="the cluster is in DIR/cluster")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve_in_memory()
        return
    data: Path = arguments.data.resolve()
    running = RunningCluster(data, lasting=True)
    was_up = all(server.answer for server in Cluster(data / "cluster", [HBASE], os.environ, print).status())
    running.up()
    tables = real_tables(running)
    try:
        with ours_in_memory() as ours, omid(data / "cluster", data / "omid", tables, durable=False) as others:
            compare("commit table in memory", ours, others, arguments.seconds)
        with (
            ours_in_hbase(running) as ours,
            omid(data / "cluster", data / "omid", tables, durable=True) as others,
        ):
            compare("commit table in HBase", ours, others, arguments.seconds)
        times = sorted(failover_s(running) for _ in range(3))
        print(f"\nfailover of ours after kill -9: {', '.join(f'{one:.1f}' for one in times)} s")
    finally:
        if not was_up:
            running.down()


if __name__ == "__main__":
    main()
