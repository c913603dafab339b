"""Up, status, down with one real server, ZooKeeper, which is there in a second; test_hbase.py has all of them."""

import fcntl
import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ops.cluster.cluster import Cluster, ServerStatus
from ops.cluster.hbase import HBASE
from ops.cluster.java import find_java
from proto.errors import SettingsError, UnavailableError
from tests.support.cluster import keep
from tests.support.processes import adsindex

KIT = replace(HBASE, servers=HBASE.servers[:1])
PORTS_OF_OTHERS = {"master": 1, "regionserver": 2, "thrift": 3}
ZOOKEEPER_ONLY = replace(KIT, files=lambda folder, ports: HBASE.files(folder, {**PORTS_OF_OTHERS, **ports}))

Make = Callable[..., Cluster]


@pytest.fixture
def make(installed: None, tmp_path: Path) -> Iterator[Make]:
    """Makes clusters, by the names of their folders; said: gets what they report."""
    made: list[Cluster] = []

    def one(name: str, said: list[str] | None = None, environment: dict[str, str] | None = None) -> Cluster:
        report = print if said is None else said.append
        made.append(Cluster(tmp_path / name, [ZOOKEEPER_ONLY], environment or dict(os.environ), report))
        return made[-1]

    yield one
    for cluster in made:
        cluster.down()


def only(cluster: Cluster) -> ServerStatus:
    (found,) = cluster.status()
    return found


def port(status: ServerStatus) -> int:
    return int(status.address.rpartition(":")[2])


def test_up_and_down_and_up_again(make: Make) -> None:
    cluster = make("it's a cluster & more")
    assert (only(cluster).pid, only(cluster).problem) == (None, "does not run")
    cluster.up()
    first = only(cluster)
    assert first.answer.startswith("ZooKeeper 3.")
    assert first.problem == ""
    assert first.memory_bytes is None or first.memory_bytes > 10_000_000
    assert Path(first.log).read_text()
    cluster.down()
    assert (only(cluster).pid, only(cluster).address) == (None, first.address)
    cluster.up()
    assert only(cluster).address == first.address
    assert only(cluster).pid != first.pid


def test_up_twice_starts_nothing_more_and_needs_no_java(make: Make) -> None:
    said: list[str] = []
    make("one").up()
    before = only(make("one"))
    make("one", said, {"PATH": "", "HOME": "/nowhere"}).up()
    assert said == [f"{make('one').folder}: all servers answer already"]
    assert only(make("one")).pid == before.pid


def test_down_twice_and_down_of_nothing(make: Make) -> None:
    said: list[str] = []
    cluster = make("one", said)
    cluster.down()
    assert not cluster.folder.exists()
    cluster.up()
    said.clear()
    cluster.down()
    cluster.down()
    (line,) = said
    assert line.startswith("zookeeper: stopped")


def test_two_clusters_beside_each_other(make: Make) -> None:
    one, two = make("one"), make("two")
    one.up()
    two.up()
    assert only(one).address != only(two).address
    one.down()
    assert (only(one).pid, only(two).problem) == (None, "")


def test_a_port_that_was_taken_meanwhile(make: Make) -> None:
    cluster = make("one")
    cluster.up()
    before = port(only(cluster))
    cluster.down()
    with socket.create_server(("127.0.0.1", before)):
        cluster.up()
        assert port(only(cluster)) != before
        assert only(cluster).problem == ""


def test_a_server_that_ends_at_its_start_is_told_with_the_end_of_its_log(make: Make) -> None:
    cluster = make("one")
    cluster.folder.mkdir()
    (cluster.folder / "zookeeper").write_text("a file where its data should be\n")
    with pytest.raises(UnavailableError) as found:
        cluster.up()
    assert "zookeeper has ended. The end of its log" in str(found.value)
    assert "Unable to create data directory" in str(found.value)
    (cluster.folder / "zookeeper").unlink()
    cluster.up()
    assert only(cluster).problem == ""


def test_what_was_started_is_stopped_when_up_is_interrupted(make: Make) -> None:
    def interrupt(line: str) -> None:
        if "started" in line:
            raise KeyboardInterrupt

    cluster = make("one")
    interrupted = Cluster(cluster.folder, [ZOOKEEPER_ONLY], os.environ, interrupt)
    with pytest.raises(KeyboardInterrupt):
        interrupted.up()
    assert only(cluster).pid is None


def test_a_server_that_hangs_is_told_and_killed(make: Make) -> None:
    said: list[str] = []
    cluster = make("one", said)
    cluster.up()
    cluster.process("zookeeper").send(signal.SIGSTOP)
    assert only(cluster).problem.startswith("runs, but does not answer: ")
    with pytest.raises(UnavailableError, match=r"zookeeper does not answer within 0 s .*The end of its log"):
        cluster.up(within_s=0)
    cluster.down(within_s=0.2)
    assert said[-1].startswith("zookeeper: killed: it did not stop")
    assert only(cluster).pid is None


def test_without_java_nothing_is_made(make: Make) -> None:
    cluster = make("one", None, {"PATH": "/nowhere", "HOME": "/nowhere"})
    with pytest.raises(SettingsError, match="there is no `java` in PATH"):
        cluster.up()
    assert not cluster.folder.exists()


def test_servers_get_nothing_of_the_environment_that_they_do_not_need(make: Make) -> None:
    """HBase logs its environment."""
    cluster = make("one", None, {**os.environ, "DATABASE_PASSWORD": "secret"})
    cluster.up()
    environment = Path(f"/proc/{only(cluster).pid}/environ")
    if environment.exists():
        assert b"secret" not in environment.read_bytes()


def test_a_cluster_of_tests_is_stopped_when_its_last_user_is_gone(make: Make, tmp_path: Path) -> None:
    cluster = make("data/cluster")
    cluster.up()
    with (tmp_path / "data/users").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        keep(tmp_path / "data")
        assert not cluster.process("zookeeper").ended(0)
    assert cluster.process("zookeeper").ended(60)


def test_the_command_without_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    ran = adsindex("cluster", "up", "--only", "hbase", "--data", tmp_path)
    assert ran.code == 2
    assert "install" in ran.errors
    assert "Traceback" not in ran.errors


def test_the_command_without_maven(installed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "java").symlink_to(find_java(os.environ))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = adsindex("cluster", "up", "--data", tmp_path)
    assert ran.code == 2
    assert "no `mvn` in PATH" in ran.errors
