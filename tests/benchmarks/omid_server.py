"""Omid's oracle beside ours: with its tables in the same HBase, and the settings that its authors would want here (a
batch waits 1 ms, not 10, for more to come)."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from repo.hbase.cells import Family, Tables
from tests.benchmarks.omid_client import OmidOracle
from tests.support.omid import IN_HBASE, IN_MEMORY, tso

TABLES = {
    "OMID_COMMIT_TABLE": {"F": Family(1), "LWF": Family(1)},
    "OMID_TIMESTAMP_TABLE": {"MAX_TIMESTAMP_CF": Family(1)},
}


@contextmanager
def omid(cluster: Path, folder: Path, tables: Tables, durable: bool) -> Iterator[OmidOracle]:
    """A client of one that runs. cluster: the folder of a cluster that is up; folder: for its own files; durable: its
    stores are in HBase, else in memory."""
    if durable:
        tables.require(TABLES)
    with (
        tso(cluster, folder, IN_HBASE if durable else IN_MEMORY) as port,
        closing(OmidOracle("127.0.0.1", port)) as oracle,
    ):
        oracle.begin()
        yield oracle
