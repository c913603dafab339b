"""Regions of a real HBase that are split, moved and compacted; with a second region server, to move them to."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ops.cluster.cluster import _command
from ops.cluster.hbase import HBASE
from ops.cluster.jars import jar_folder
from ops.cluster.java import find_java
from ops.cluster.kit import Server
from ops.cluster.ports import choose_ports, kept_ports
from ops.cluster.questions import ask_region_server
from tests.support.cluster import JVM_OPTIONS, PATIENCE_S, RunningCluster
from tests.support.hbase import eventually
from tests.support.java_shell import JavaShell, find_javac
from tests.support.processes import ROOT

SHELL = ROOT / "tests/cluster/hbase/RegionShell.java"
SECOND: Final = "regionserver2"
HEAP_MB: Final = 256


class RegionShell(JavaShell):
    """A Java program on HBase's Admin (tests/cluster/hbase/RegionShell.java). Each call returns when it is done."""

    def servers(self) -> int:
        return int(self.ask("servers"))

    def split(self, table: str, row: bytes) -> None:
        """The region that holds it, at that row."""
        self.ask("split", table, row)

    def move(self, table: str) -> None:
        """All its regions, to the other server."""
        self.ask("move", table)

    def compact(self, table: str) -> None:
        """Flushes, and makes a major compaction."""
        self.ask("compact", table)

    def disable(self, table: str) -> None:
        self.ask("disable", table)

    def enable(self, table: str) -> None:
        self.ask("enable", table)


@contextmanager
def region_shell(cluster: RunningCluster, folder: Path) -> Iterator[RegionShell]:
    """cluster: for faults; it has two region servers meanwhile. folder: for the log."""
    find_javac()  # Java compiles the program itself, if it can
    java, jars, home = find_java(os.environ), jar_folder(HBASE.pom, os.environ), cluster.data / "cluster"
    (port,) = choose_ports([SECOND], kept_ports(home), [], home).values()
    main = ("org.apache.hadoop.hbase.regionserver.HRegionServer", f"-Dhbase.regionserver.port={port}", "start")
    server, process = Server(SECOND, main, HEAP_MB, (SECOND,), ask_region_server), cluster.process(SECOND)
    process.start(_command(HBASE, server, java, jars), {**os.environ, "JDK_JAVA_OPTIONS": JVM_OPTIONS})
    command = [java, f"@{home}/conf/hbase.jvm", "-Xmx128m", "-classpath", f"{home}/conf:{jars}/*", str(SHELL)]
    try:
        with RegionShell(command, folder / "shell.log") as shell:
            eventually(lambda: shell.servers() == 2, "a second region server")
            yield shell
    finally:
        process.send(signal.SIGTERM)
        assert process.ended(PATIENCE_S)
