"""`adsindex run --role oracle` as processes on a real HBase, and their clients."""

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import urandom
from pathlib import Path
from threading import Thread
from typing import Any

from ops.wiring.oracle import election_path
from repo.api import OutcomeKind
from repo.hbase.commit_table import CommitTableReader
from repo.hbase.names import TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.state_cell import NONCE_BYTES
from repo.oracle.grpc_client import GrpcOracle
from repo.oracle.port import CommitRequest, Decision, Fate
from repo.oracle.storage import OracleStorage
from repo.oracle.zookeeper import ZookeeperLeaders
from tests.support.cluster import RunningCluster
from tests.support.hbase import new_table, real_cells, real_tables
from tests.support.oracles import PATIENCE_S, until
from tests.support.processes import Daemon, command


class HbaseStore:
    """tests.support.oracles.Store: tables of its own in a real HBase. Close it."""

    def __init__(self, cluster: RunningCluster) -> None:
        self.names = TableNames(new_table("oracle") + ".")
        self._cells = real_cells(cluster)
        real_tables(cluster).require(oracle_tables(self.names))

    def storage(self) -> OracleStorage:
        return oracle_storage(self._cells, self.names, urandom(NONCE_BYTES))

    def close(self) -> None:
        self._cells.close()


class Oracles:
    """All that share a state cell: those with one prefix. `close` ends what still runs."""

    def __init__(self, cluster: RunningCluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.prefix = new_table("oracle") + "."
        self.daemons: list[Daemon] = []
        self._clients: list[tuple[GrpcOracle, ZookeeperLeaders]] = []
        settings = f'zookeeper = "{cluster.zookeeper}"\nthrift = "{cluster.thrift}"\nprefix = "{self.prefix}"\n'
        (folder / "adsindex.toml").write_text("[hbase]\n" + settings)

    def start(self) -> Daemon:
        """One more; returns once it stands by."""
        output = self.folder / f"oracle{len(self.daemons)}.log"
        daemon = Daemon(command("run", "--role", "oracle", "--data", self.folder, "--json"), output)
        self.daemons.append(daemon)
        daemon.says('"event":"standby"')
        return daemon

    def leader(self, but: Sequence[Daemon] = ()) -> Daemon:
        """Waits until one leads that is none of those."""
        found: list[Daemon] = []

        def leads() -> bool:
            found[:] = [one for one in self.daemons if one not in but and told(one, "leads")]
            return bool(found)

        until(leads)
        return found[0]

    def start_two(self) -> None:
        """One leads, one stands by."""
        self.start()
        self.leader()
        self.start()

    def client(self, deadline_s: float = PATIENCE_S) -> tuple[GrpcOracle, ZookeeperLeaders]:
        """Closed in the end, if not before: a test that fails leaves no threads behind that look for servers."""
        leaders = ZookeeperLeaders(self.cluster.zookeeper, election_path(self.prefix))
        self._clients.append((GrpcOracle(leaders, deadline_s), leaders))
        return self._clients[-1]

    def commit_table(self, ids: Sequence[int]) -> dict[int, int]:
        """What is durable: commit timestamps by id."""
        cells = real_cells(self.cluster)
        try:
            return CommitTableReader(cells, TableNames(self.prefix).commit_table).look_up(ids)
        finally:
            cells.close()

    def close(self) -> None:
        for client, leaders in self._clients:
            client.close()
            leaders.close()
        for daemon in self.daemons:
            if daemon.process.poll() is None:
                daemon.process.send_signal(signal.SIGCONT)
                daemon.kill()


class Committers:
    """Threads that commit one small transaction after another, and note what they were told."""

    def __init__(self, oracle: GrpcOracle, count: int) -> None:
        self.told: dict[int, Decision] = {}
        self._oracle, self._wanted = oracle, True
        self._errors: list[Exception] = []
        self._threads = [Thread(target=self._run, args=(number,)) for number in range(count)]

    def __enter__(self) -> "Committers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._wanted = False
        for thread in self._threads:
            thread.join(2 * PATIENCE_S)
        assert not self._errors and not any(thread.is_alive() for thread in self._threads), self._errors

    def commits(self, more: int) -> None:
        """Returns when so many more have been committed than now."""
        wanted = self._committed() + more
        until(lambda: bool(self._errors) or self._committed() >= wanted)

    def ids(self, kind: OutcomeKind) -> list[int]:
        return [id for id, decision in list(self.told.items()) if decision.kind is kind]

    def _committed(self) -> int:
        return len(self.ids(OutcomeKind.COMMITTED))

    def _run(self, number: int) -> None:
        newest = 0
        try:
            while self._wanted:
                [begun] = self._oracle.begin(at_least=newest)
                assert begun.id > begun.snapshot >= newest, "its own commit is not in its snapshot"
                [decision] = self._oracle.commit([CommitRequest(*begun, written=(number, number + 1000))])
                self.told[begun.id] = decision
                assert decision.kind is not OutcomeKind.CONFLICT, "nobody else writes these cells"
                if decision.kind is OutcomeKind.COMMITTED:
                    assert decision.timestamp > begun.id
                    newest = decision.timestamp
        except Exception as error:
            self._errors.append(error)


def told(daemon: Daemon, event: str) -> list[Any]:
    """What it has said about that, last first."""
    lines = [json.loads(line) for line in daemon.text.splitlines() if line.startswith("{") and line.endswith("}")]
    return [line for line in reversed(lines) if line["event"] == event]


def nothing_lost_none_resurrected(oracles: Oracles, oracle: GrpcOracle, committers: Committers) -> None:
    """What was told as committed is durable with that timestamp, what was told as aborted is not there; what nobody
    knows is settled, and stays so."""
    unknown = committers.ids(OutcomeKind.UNKNOWN)
    settled = dict(zip(unknown, oracle.settle(unknown), strict=True))
    assert {one.fate for one in settled.values()} <= {Fate.COMMITTED, Fate.ABORTED}
    expected = {id: committers.told[id].timestamp for id in committers.ids(OutcomeKind.COMMITTED)}
    expected |= {id: one.commit_timestamp for id, one in settled.items() if one.fate is Fate.COMMITTED}
    assert oracles.commit_table(list(committers.told)) == expected
    timestamps = list(expected.values())
    assert len(set(timestamps)) == len(timestamps)
    assert oracle.settle(unknown) == list(settled.values())


@contextmanager
def oracles(cluster: RunningCluster, folder: Path) -> Iterator[Oracles]:
    all = Oracles(cluster, folder)
    try:
        yield all
    finally:
        all.close()
