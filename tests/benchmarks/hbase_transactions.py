"""Transactions on real HBase: 3 rows read and 2 written in each, in batches and one after another.

    .venv/bin/python -m tests.benchmarks.hbase_transactions [SECONDS]

Starts the servers (and keeps them running with ADSINDEX_TEST_CLUSTER=DIR), and prints transactions a second and
milliseconds a batch, by one thread and by several. The oracle is a process of its own, with state and commit table in
HBase; reads are of rows that earlier batches have written. First, the price of single calls in the same minute: on a
busy machine both go up.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles

from ops.engine.clock import SystemClock
from proto.codec import encode_key
from repo.api import Keep, TableSpec, Transaction
from repo.hbase.cells import Cells
from repo.hbase.names import TableNames
from repo.hbase.repo import HbaseRepo, HbaseSettings
from repo.oracle.port import TimestampOracle
from tests.support.cluster import KEPT, RunningCluster
from tests.support.hbase import real_cells, real_tables
from tests.support.oracle_processes import Oracles, oracles

ROWS = 10_000
THREADS = 3
VALUE = b"v" * 400
TABLE = TableSpec("rows", {"control": Keep.VERSIONED})


class Bench:
    """One thread's: rows that no other one writes."""

    def __init__(self, repo: HbaseRepo, thread: int) -> None:
        self.repo = repo
        self.random = random.Random(thread)
        self.keys = [encode_key(("bench", thread, number)) for number in range(ROWS)]

    def fill(self) -> None:
        for start in range(0, ROWS, 1000):
            transaction = Transaction(self.repo.last_timestamp())
            for key in self.keys[start : start + 1000]:
                transaction.write("rows", key, "control", VALUE)
            assert self.repo.commit([transaction])[0].committed

    def batch(self, size: int) -> int:
        """A batch as the product makes it: one snapshot, one read for all, one commit. Returns how many committed."""
        chosen = self.random.sample(self.keys, 5 * size)
        with self.repo.snapshot() as snapshot:
            found = snapshot.read("rows", "control", chosen[: 3 * size])
            assert all(found)
            transactions = []
            for number in range(size):
                transaction = Transaction(snapshot.timestamp)
                for key in chosen[2 * number : 2 * number + 2]:
                    transaction.write("rows", key, "control", VALUE)
                transactions.append(transaction)
        return sum(outcome.committed for outcome in self.repo.commit(transactions))

    def spans_ms(self, size: int, until: float) -> list[float]:
        """How long each batch took."""
        spans: list[float] = []
        while time.perf_counter() < until:
            before = time.perf_counter()
            assert self.batch(size) == size
            spans.append((time.perf_counter() - before) * 1000)
        return spans


def measure(benches: Sequence[Bench], size: int, seconds: float) -> None:
    with ThreadPoolExecutor(len(benches)) as threads:
        list(threads.map(lambda bench: bench.batch(size), benches))
        until = time.perf_counter() + seconds
        spans = [span for found in threads.map(lambda bench: bench.spans_ms(size, until), benches) for span in found]
    cuts = quantiles(spans, n=100)
    print(
        f"{len(benches)} thread(s), {size:>3} a batch  {size * len(spans) / seconds:>7,.0f} transactions/s   "
        f"p50 {cuts[49]:.1f} ms   p99 {cuts[98]:.1f} ms"
    )


def single_calls(cells: Cells, oracle: TimestampOracle, table: str, key: bytes) -> None:
    calls: dict[str, Callable[[], object]] = {
        "get one row": lambda: cells.get(table, [key], [b"d:control"]),
        "put one row": lambda: cells.put(table, 1, {key: {b"d:control": VALUE}}),
        "begin": oracle.begin,
    }
    for name, call in calls.items():
        spans = []
        for _ in range(500):
            before = time.perf_counter()
            call()
            spans.append((time.perf_counter() - before) * 1000)
        print(f"{name}: p50 {quantiles(spans, n=100)[49]:.2f} ms")


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        cluster = RunningCluster(Path(os.environ.get(KEPT, temporary)) / "hbase", lasting=True)
        cluster.data.mkdir(parents=True, exist_ok=True)
        cluster.up()
        try:
            with oracles(cluster, Path(temporary)) as servers:
                servers.start()
                servers.leader()
                run(cluster, servers, seconds)
        finally:
            if KEPT not in os.environ:
                cluster.down()


def run(cluster: RunningCluster, servers: Oracles, seconds: float) -> None:
    cells, tables = real_cells(cluster), real_tables(cluster)
    names = TableNames(servers.prefix)
    oracle, leaders = servers.client()
    repo = HbaseRepo(cells, tables, oracle, SystemClock(), os.urandom(8), HbaseSettings(names.prefix))
    repo.declare([TABLE])
    benches = [Bench(repo, thread) for thread in range(THREADS)]
    for bench in benches:
        bench.fill()
    single_calls(cells, oracle, names.data("rows"), encode_key(("single",)))
    for size in (1, 100, 200, 500):
        for some in (benches[:1], benches):
            measure(some, size, seconds)
    oracle.close()
    leaders.close()
    cells.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
