"""How many begin+commit pairs a second the oracle decides, and in how much memory:
`python -m tests.benchmarks.oracle_frames [--frames 1,16,256] [--seconds 2] [--cells 5000000] [--profile]
[--hbase THRIFT,ZOOKEEPER]`, with the addresses that `adsindex cluster status` prints.

One frame holds n commits and the n begins of the next ones, as n clients that do nothing else would send them; each
commit writes 2 to 10 cells. First the conflict map is filled. Then frames: with state chain and commit table in memory,
which is the oracle alone; over the cell port's twin, which adds the bytes that HBase would get; and over HBase.
"""

import argparse
import cProfile
import pstats
import time
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from secrets import token_bytes, token_hex

from ops.engine.clock import SystemClock
from repo.api import OutcomeKind
from repo.hbase.memory import MemoryCells
from repo.hbase.names import TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.tables import MasterTables
from repo.hbase.thrift import ThriftCells
from repo.oracle.frames import BeginRequest, Frame
from repo.oracle.memory import MemoryCommitTable, MemoryStateChain
from repo.oracle.oracle import Oracle
from repo.oracle.port import CommitRequest
from repo.oracle.state_machine import OracleLimits
from repo.oracle.storage import Batch, OracleStorage

WRITE_SETS = 50_000
CELLS_MIN, CELLS_MAX = 2, 10


class Clients:
    """As many as a frame holds transactions; all of them at once: commit what was begun, begin the next."""

    def __init__(self, oracle: Oracle, count: int, random: Random) -> None:
        self._oracle, self._count = oracle, count
        self._written = [_cells(random, random.randint(CELLS_MIN, CELLS_MAX)) for _ in range(WRITE_SETS)]
        self._next = 0
        self._begins = [BeginRequest()] * count
        self._begun = [begun for begun in oracle.frame(Frame(begins=self._begins)).begins if begun is not None]
        self.committed = 0
        self.seconds = self.processor_seconds = 0.0

    def run(self, seconds: float) -> None:
        while self.seconds < seconds:
            commits = [
                CommitRequest(begun.first_id, begun.snapshot, self._written[(self._next + at) % WRITE_SETS])
                for at, begun in enumerate(self._begun)
            ]
            self._next += self._count
            begin, processor_begin = time.perf_counter(), time.process_time()
            replies = self._oracle.frame(Frame(self._begins, commits))
            self.seconds += time.perf_counter() - begin
            self.processor_seconds += time.process_time() - processor_begin
            self._begun = [begun for begun in replies.begins if begun is not None]
            self.committed += sum(decision.kind is OutcomeKind.COMMITTED for decision in replies.commits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", default="1,16,64,256,1024", help="transactions of a frame")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--cells", type=int, default=5_000_000, help="cells of the conflict map")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--hbase", help="THRIFT,ZOOKEEPER: addresses of servers")
    arguments = parser.parse_args()
    limits = OracleLimits(cells_max=arguments.cells)
    _fill(limits, Random(2))
    profile = cProfile.Profile()
    print(f"{'pairs a frame':>13}  {'pairs/s':>9}  {'us/pair':>8}  {'of them busy':>12}  {'ms/frame':>8}")
    storages = {"in memory": _in_memory, "over the twin of HBase": _over_the_twin}
    if arguments.hbase:
        storages["over HBase"] = partial(_over_hbase, *arguments.hbase.split(","))
    for name, storage in storages.items():
        print(f"storage {name}")
        for count in map(int, arguments.frames.split(",")):
            clients = Clients(Oracle(storage(), SystemClock(), limits), count, Random(1))
            if arguments.profile:
                profile.enable()
            clients.run(arguments.seconds)
            profile.disable()
            us, rate = clients.seconds / clients.committed * 1e6, clients.committed / clients.seconds
            busy_us = clients.processor_seconds / clients.committed * 1e6
            print(f"{count:13}  {rate:9,.0f}  {us:8.2f}  {busy_us:12.2f}  {us * count / 1000:8.3f}")
    if arguments.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(12)


def _fill(limits: OracleLimits, random: Random) -> None:
    """Each cell is new, so both generations become as full as they ever do. The open ids of a minute of 20,000 readers
    a second, and the commits that are remembered, are there as well."""
    oracle = Oracle(OracleStorage(MemoryStateChain(), _Forgetful()), SystemClock(), limits)
    begins = [BeginRequest(20)] * 1_000
    for _ in range(60):
        oracle.frame(Frame(begins))
    ids = iter(lambda: random.getrandbits(64) - (1 << 63), None)
    for _ in range(limits.cells_max // 6 // 1_000):
        (begun,) = oracle.frame(Frame([BeginRequest(1_000)])).begins
        assert begun is not None
        oracle.frame(Frame(commits=[CommitRequest(*one, tuple(islice(ids, 6))) for one in begun.expanded()]))
    print(f"an oracle with {limits.cells_max:,} cells in its conflict map: {_resident_mb():,.0f} MB, Python included")


class _Forgetful(MemoryCommitTable):
    """Keeps nothing, as if it were elsewhere."""

    def put(self, batch: Batch) -> None:
        pass


def _in_memory() -> OracleStorage:
    return OracleStorage(MemoryStateChain(), MemoryCommitTable())


def _over_the_twin() -> OracleStorage:
    cells, names = MemoryCells(SystemClock()), TableNames()
    cells.require(oracle_tables(names))
    return oracle_storage(cells, names, nonce=b"benchmark-oracle")


def _over_hbase(thrift: str, zookeeper: str) -> OracleStorage:
    host, port = thrift.rsplit(":", 1)
    names = TableNames(f"benchmark{token_hex(4)}.")
    MasterTables(zookeeper, SystemClock(), time.sleep).require(oracle_tables(names))
    return oracle_storage(ThriftCells(host, int(port), SystemClock()), names, nonce=token_bytes(16))


def _cells(random: Random, count: int) -> tuple[int, ...]:
    return tuple(random.getrandbits(64) - (1 << 63) for _ in range(count))


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
