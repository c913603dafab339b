"""Real servers for tests: ZooKeeper, HBase and Thrift, as `adsindex cluster up` starts them.

A test takes one of two fixtures; without Java or Maven it is left out, with the reason:

hbase         one for the whole run and all its workers, started when the first test wants it. Never stop or kill a
              server of it; name your tables with a prefix of your own.
hbase_faults  another one for tests that stop, kill and pause servers: one test at a time has it, and after each it is
              made whole again. Its tables stay.

What a run has started is stopped when the last worker that used it is done, or dead (cluster_keeper.py).
ADSINDEX_TEST_CLUSTER=DIR keeps both in that folder, running, for the next run; `adsindex cluster down --data DIR/hbase`
and `--data DIR/hbase_faults` stop them.
"""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.cluster.cluster import Cluster, ServerStatus
from ops.cluster.hbase import HBASE
from ops.cluster.jars import jar_folder
from ops.cluster.java import find_java, find_maven
from ops.cluster.process import ServerProcess
from proto.errors import SettingsError
from tests.support.processes import ROOT, environment

PATIENCE_S = 120.0
KEPT = "ADSINDEX_TEST_CLUSTER"
JVM_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
"""For servers that end soon: they start with half of the work, and stay at half of the speed; and nobody proves once
more that what the compiler has written is bytecode."""


class RunningCluster:
    """A cluster in `DATA/cluster`. Addresses are `127.0.0.1:PORT`.

    Servers are `zookeeper`, `master`, `regionserver`, `thrift`; only tests with `hbase_faults` may touch them.
    """

    def __init__(self, data: Path, lasting: bool = False) -> None:
        """lasting: its JVMs take their time to compile what is called often; without, JVM_OPTIONS."""
        self.data = data
        variables = os.environ if lasting else {**os.environ, "JDK_JAVA_OPTIONS": JVM_OPTIONS}
        self._cluster = Cluster(data / "cluster", [HBASE], variables, print)

    @property
    def thrift(self) -> str:
        return self.address("thrift")

    @property
    def zookeeper(self) -> str:
        return self.address("zookeeper")

    @property
    def master(self) -> str:
        return self.address("master")

    def address(self, server: str) -> str:
        return self.status(server).address

    def status(self, server: str) -> ServerStatus:
        return next(one for one in self._cluster.status() if one.server == server)

    def process(self, server: str) -> ServerProcess:
        return self._cluster.process(server)

    def up(self) -> None:
        """Starts what does not run, and returns when all servers answer."""
        self._cluster.up()

    def down(self) -> None:
        self._cluster.down()

    def kill(self, server: str) -> None:
        """SIGKILL; returns when it is dead. `up` starts it again."""
        self.process(server).send(signal.SIGKILL)
        assert self.process(server).ended(PATIENCE_S)

    def stop(self, server: str) -> None:
        """SIGTERM; returns when it has ended. `up` starts it again."""
        self.process(server).send(signal.SIGTERM)
        assert self.process(server).ended(PATIENCE_S)

    def restart(self, server: str) -> None:
        """Stops it, starts it, and returns when all servers answer."""
        self.stop(server)
        self.up()

    @contextmanager
    def paused(self, server: str) -> Iterator[None]:
        """SIGSTOP, and SIGCONT behind."""
        self.process(server).send(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process(server).send(signal.SIGCONT)

    def mend(self) -> None:
        """After a test: everything goes on, and answers."""
        for server in HBASE.servers:
            self.process(server.name).send(signal.SIGCONT)
        self.up()


@pytest.fixture(scope="session")
def installed() -> None:
    """Java is there, and the jars, or Maven to fetch them; else the test is left out."""
    try:
        find_java(os.environ)
        if not jar_folder(HBASE.pom, os.environ).is_dir():
            find_maven(os.environ)
    except SettingsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def hbase(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    """The cluster of the run."""
    with _used(_shared_folder(tmp_path_factory) / "hbase") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def _faulty(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    with _used(_shared_folder(tmp_path_factory) / "hbase_faults") as cluster:
        yield cluster


@pytest.fixture
def hbase_faults(_faulty: RunningCluster) -> Iterator[RunningCluster]:
    """The cluster for faults, for this test alone."""
    with (_faulty.data / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        _faulty.mend()
        yield _faulty
        _faulty.mend()


def _shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all workers of the run."""
    if KEPT in os.environ:
        return Path(os.environ[KEPT])
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextmanager
def _used(data: Path) -> Iterator[RunningCluster]:
    """It is up as long as anybody has the file `users` locked. Who lets go of it last stops it."""
    data.mkdir(parents=True, exist_ok=True)
    cluster = RunningCluster(data)
    with (data / "users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        if KEPT not in os.environ:
            keep(data)
        cluster.up()
        yield cluster
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # others use it
        if KEPT not in os.environ:
            cluster.down()


def keep(data: Path) -> None:
    """Lets the cluster be stopped as soon as nobody has `users` locked, even if this process is killed."""
    subprocess.Popen(
        [sys.executable, "-m", "tests.support.cluster_keeper", str(data)], cwd=ROOT, env=environment(),
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
