"""Transactions on real HBase: 3 rows read and 2 written in each, in batches and one after another.

    .venv/bin/python -m tests.benchmarks.hbase_transactions [SECONDS]

Starts the servers (and keeps them running with ADSINDEX_TEST_CLUSTER=DIR), and prints transactions a second and
milliseconds a call. The oracle is in this process, with its state and its commit table in HBase; reads are of rows that
were written in earlier batches.
"""

import os
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles

from ops.engine.clock import SystemClock
from proto.codec import encode_key
from repo.api import Keep, TableSpec, Transaction
from repo.hbase.names import TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.repo import HbaseRepo, HbaseSettings
from repo.oracle.in_process import InProcessOracle
from repo.oracle.oracle import Oracle
from tests.support.cluster import KEPT, RunningCluster
from tests.support.hbase import new_table, real_cells, real_tables

ROWS = 20_000
VALUE = b"v" * 400
TABLE = TableSpec("rows", {"control": Keep.VERSIONED})


class Bench:
    """rows: keys that are there."""

    def __init__(self, repo: HbaseRepo, seed: int = 1) -> None:
        self.repo = repo
        self.random = random.Random(seed)
        self.keys = [encode_key(("bench", number)) for number in range(ROWS)]

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

    def measure(self, size: int, seconds: float) -> None:
        spans: list[float] = []
        done, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds or len(spans) < 20:
            before = time.perf_counter()
            done += self.batch(size)
            spans.append((time.perf_counter() - before) * 1000)
        total = time.perf_counter() - start
        cuts = quantiles(spans, n=100)
        print(
            f"{size:>6} a batch  {done / total:>9,.0f} transactions/s   p50 {cuts[49]:.1f} ms   p99 {cuts[98]:.1f} ms"
        )


def main(seconds: float) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        cluster = RunningCluster(Path(os.environ.get(KEPT, temporary)) / "hbase")
        cluster.data.mkdir(parents=True, exist_ok=True)
        cluster.up()
        try:
            run(cluster, seconds)
        finally:
            if KEPT not in os.environ:
                cluster.down()


def run(cluster: RunningCluster, seconds: float) -> None:
    cells, tables, clock = real_cells(cluster), real_tables(cluster), SystemClock()
    names = TableNames(new_table("bench") + ".")
    tables.require(oracle_tables(names))
    nonce = os.urandom(8)
    oracle = InProcessOracle(Oracle(oracle_storage(cells, names, nonce), clock))
    repo = HbaseRepo(cells, tables, oracle, clock, nonce, HbaseSettings(names.prefix))
    repo.declare([TABLE])
    bench = Bench(repo)
    bench.fill()
    for size in (1, 10, 100, 200, 500):
        bench.batch(size)
        bench.measure(size, seconds)
    for table in (names.data("rows"), names.commit_table, names.catalog, names.gc, names.oracle):
        tables.drop(table)
    cells.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
