"""Omid as it is: its oracle (the TSO) and its client for HBase, started from Maven's jars for tests and measurements.

Its oracle listens at all interfaces, whatever it is told, and knows no passwords; it runs no longer than a test does.
"""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from ops.cluster.jars import fetched
from ops.cluster.java import find_java
from ops.cluster.ports import choose_ports
from tests.support.java_shell import JavaShell, find_javac
from tests.support.oracles import PATIENCE_S, until
from tests.support.processes import ROOT, Daemon

POM = ROOT / "ops/cluster/pom-omid.xml"
SHELL = ROOT / "tests/cluster/omid/OmidShell.java"
TSO_HEAP_MB: Final = 256
SHELL_HEAP_MB: Final = 128

_HANDSHAKE = bytes.fromhex("000000041a020a00")  # TSOProto.Request {handshakeRequest: {clientCapabilities: {}}}
_LENGTH_BYTES = 4

_CONFIGURATION = """\
port: {port}
networkIfaceName: lo
waitStrategy: LOW_CPU
conflictMapSize: 1000000
numConcurrentCTWriters: 2
batchSizePerCTWriter: 25
batchPersistTimeoutInMs: 1
timestampType: WORLD_TIME
timestampStoreModule: !!org.apache.omid.{stores.timestamps}
commitTableStoreModule: !!org.apache.omid.{stores.commit_table}
leaseModule: !!org.apache.omid.tso.VoidLeaseManagementModule [ ]
metrics: !!org.apache.omid.metrics.NullMetricsProvider [ ]
"""

_LOGGING = """\
status = warn
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p [%t] %c{2}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


class Stores(NamedTuple):
    """Modules of Omid's that keep the oracle's timestamps and its commits."""

    timestamps: str = "tso.InMemoryTimestampStorageModule [ ]"
    commit_table: str = "tso.InMemoryCommitTableStorageModule [ ]"


IN_MEMORY = Stores()
IN_HBASE = Stores(
    "timestamp.storage.DefaultHBaseTimestampStorageModule [ ]",
    "committable.hbase.DefaultHBaseCommitTableStorageModule [ ]",
)
"""In the tables that are called as Omid calls them."""


def commits_in_hbase(table: str) -> Stores:
    """In a table of any name; timestamps, which are the time, in memory."""
    return Stores(commit_table=f"committable.hbase.DefaultHBaseCommitTableStorageModule\n    tableName: {table}")


def omid_jars() -> Path:
    """Their folder. Raises SettingsError where Java or Maven is missing."""
    return fetched(POM, os.environ, print)


@contextmanager
def tso(cluster: Path, folder: Path, stores: Stores = IN_MEMORY) -> Iterator[int]:
    """Omid's oracle; its port, as soon as it answers there. cluster: the folder of one that is up, which it finds its
    HBase by; folder: for its own files."""
    configuration = folder / "conf"
    configuration.mkdir(parents=True, exist_ok=True)
    (port,) = choose_ports(["tso"], {}, [], folder).values()
    (configuration / "omid-server-configuration.yml").write_text(_CONFIGURATION.format(port=port, stores=stores))
    command = _java(cluster, configuration, TSO_HEAP_MB)
    daemon = Daemon([*command, "org.apache.omid.tso.TSOServer"], folder / "tso.log")
    try:
        until(lambda: _shakes_hands(port) or _has_ended(daemon))
        assert not _has_ended(daemon), daemon.text[-2000:]
        yield port
    finally:
        daemon.stop()


class OmidShell(JavaShell):
    """A Java program on Omid's client (tests/cluster/omid/OmidShell.java), with one transaction at a time. Columns are
    `family:qualifier`, as everywhere here."""

    def __init__(self, cluster: Path, folder: Path, port: int, commit_table: str) -> None:
        """cluster, folder: as `tso`; port: its."""
        classes = folder / "classes"
        _compile(classes)
        command = _java(cluster, classes, SHELL_HEAP_MB)
        main = ["org.apache.omid.transaction.OmidShell", f"127.0.0.1:{port}", commit_table]
        super().__init__([*command, *main], folder / "shell.log")

    def begin(self, after: int, forgetful: bool = False) -> int:
        """Its start timestamp, above `after`. forgetful: what it commits gets no shadow cells, and stays in the commit
        table, as of a client that dies then."""
        while (start := int(self.ask("begin-forgetful" if forgetful else "begin"))) <= after:
            self.ask("rollback")
        return start

    def checkpoint(self) -> int:
        """The version of what is written from now on."""
        return int(self.ask("checkpoint"))

    def commit(self) -> int:
        return int(self.ask("commit"))

    def rollback(self) -> None:
        self.ask("rollback")

    def get(self, table: str, row: bytes, column: bytes) -> bytes:
        """b"": there is none."""
        return _bytes(self.ask("get", table, row, *column.split(b":", 1)))

    def scan(self, table: str, column: bytes) -> dict[bytes, bytes]:
        """Row -> value."""
        rows = [row.split("=") for row in self.ask("scan", table, *column.split(b":", 1)).split()]
        return {_bytes(row): _bytes(value) for row, value in rows}

    def put(self, table: str, row: bytes, column: bytes, value: bytes) -> None:
        self.ask("put", table, row, *column.split(b":", 1), value)

    def delete(self, table: str, row: bytes, column: bytes) -> None:
        self.ask("delete", table, row, *column.split(b":", 1))

    def delete_family(self, table: str, row: bytes, family: bytes) -> None:
        self.ask("delete-family", table, row, family)

    def delete_row(self, table: str, row: bytes) -> None:
        self.ask("delete-row", table, row)

    def invalidate(self, id: int) -> bool:
        """Puts F:IT, as Omid's readers do for undecided transactions of an older epoch. False: it is committed."""
        return self.ask("invalidate", str(id)) == "true"

    def cell_id(self, table: str, row: bytes, column: bytes) -> int:
        return int(self.ask("cell-id", table, row, *column.split(b":", 1)))


def _java(cluster: Path, first: Path, heap_mb: int) -> list[str]:
    """The program and its options, with `first` in front of the class path. hbase-site.xml, and what Java needs to be
    told for HBase, are the cluster's."""
    conf, logging = cluster / "conf", first / "log4j2-omid.properties"
    logging.write_text(_LOGGING)
    options = [f"@{conf}/hbase.jvm", f"-Xmx{heap_mb}m", f"-Dlog4j2.configurationFile={logging}"]
    return [find_java(os.environ), *options, "-classpath", f"{first}:{conf}:{omid_jars()}/*"]


def _compile(classes: Path) -> None:
    javac = find_javac()
    command = [javac, "--release", "17", "-classpath", f"{omid_jars()}/*", "-d", str(classes), str(SHELL)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr


def _bytes(word: str) -> bytes:
    return b"" if word == "-" else bytes.fromhex(word)


def _shakes_hands(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
            connection.sendall(_HANDSHAKE)
            return len(connection.recv(_LENGTH_BYTES)) == _LENGTH_BYTES
    except OSError:
        return False


def _has_ended(daemon: Daemon) -> bool:
    return daemon.process.poll() is not None
