"""Omid's oracle beside ours: its jars by Maven, its tables in the same HBase, the settings that its authors would want
here (a batch waits 1 ms, not 10, for more to come)."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ops.cluster.jars import fetched
from ops.cluster.java import find_java
from repo.hbase.cells import Family, Tables
from tests.benchmarks.omid_client import OmidOracle

TABLES = {
    "OMID_COMMIT_TABLE": {"F": Family(1), "LWF": Family(1)},
    "OMID_TIMESTAMP_TABLE": {"MAX_TIMESTAMP_CF": Family(1)},
}
_POM = Path(__file__).with_name("pom-omid.xml")
_PATIENCE_S = 60.0
_STORES = {
    True: (
        "timestamp.storage.DefaultHBaseTimestampStorageModule",
        "committable.hbase.DefaultHBaseCommitTableStorageModule",
    ),
    False: ("tso.InMemoryTimestampStorageModule", "tso.InMemoryCommitTableStorageModule"),
}


def _configuration(port: int, durable: bool) -> str:
    timestamps, commits = _STORES[durable]
    return f"""\
port: {port}
networkIfaceName: lo
waitStrategy: LOW_CPU
conflictMapSize: 1000000
numConcurrentCTWriters: 2
batchSizePerCTWriter: 25
batchPersistTimeoutInMs: 1
timestampType: WORLD_TIME
timestampStoreModule: !!org.apache.omid.{timestamps} [ ]
commitTableStoreModule: !!org.apache.omid.{commits} [ ]
leaseModule: !!org.apache.omid.tso.VoidLeaseManagementModule [ ]
metrics: !!org.apache.omid.metrics.NullMetricsProvider [ ]
"""


@contextmanager
def omid(cluster: Path, folder: Path, tables: Tables, durable: bool) -> Iterator[OmidOracle]:
    """A client of one that runs. cluster: the folder of a cluster that is up; folder: for its own files; durable: its
    stores are in HBase, else in memory."""
    java, jars = find_java(os.environ), fetched(_POM, os.environ, print)
    if durable:
        tables.require(TABLES)
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    (folder / "omid-server-configuration.yml").write_text(_configuration(port, durable))
    command = [
        java, f"@{cluster}/conf/hbase.jvm", "-Xmx256m", "-Dadsindex.server=omid",
        "-classpath", f"{folder}:{cluster}/conf:{jars}/*", "org.apache.omid.tso.TSOServer",
    ]  # fmt: skip
    with (folder / "omid.out").open("w") as output:
        process = subprocess.Popen(command, cwd=cluster, stdout=output, stderr=output)
    try:
        with closing(_connected(port, process, folder / "omid.out")) as oracle:
            yield oracle
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _connected(port: int, process: "subprocess.Popen[bytes]", output: Path) -> OmidOracle:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            oracle = OmidOracle("127.0.0.1", port)
        except OSError:
            time.sleep(0.1)
        else:
            oracle.begin()
            return oracle
    raise RuntimeError(f"Omid's oracle does not start: {output.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
