"""A list-append run on real servers while leaders are killed; `python -m tests.judge.run` starts servers of its own.

Oracles and clients are processes; the history is what the clients wrote down, and one last look at all lists.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ops.wiring.oracle import election_path
from repo.oracle.zookeeper import ZookeeperLeaders
from tests.judge import client
from tests.judge.checker import anomalies
from tests.judge.history import Log, Operation, Transaction, transactions
from tests.support.cluster import RunningCluster
from tests.support.oracle_processes import Oracles, oracles, told
from tests.support.oracles import until
from tests.support.processes import Daemon

CLIENTS = 2
CALM_S = 2.0
"""How long a leader leads before it goes."""
PATIENCE_S = 120.0


class Run:
    """Two oracles and some clients. spoilt: how often something went wrong, so far."""

    def __init__(self, pair: Oracles, folder: Path) -> None:
        self.oracles, self.cluster = pair, pair.cluster
        self.spoilt = 0
        self._folder = folder
        self._leaders = ZookeeperLeaders(self.cluster.zookeeper, election_path(pair.prefix))
        self._clients: list[Daemon] = []
        self._logs: list[Path] = []
        self._counted: dict[Path, tuple[int, int]] = {}  # how far each log was read, and the commits in it

    def start(self) -> None:
        for _ in range(CLIENTS):
            self.start_client()
        self.oracles.start_two()

    def start_client(self) -> None:
        number = len(self._logs)
        log = self._folder / f"client{number}.jsonl"
        where = (self.oracles.prefix, self.cluster.zookeeper, self.cluster.thrift)
        arguments = [sys.executable, "-m", "tests.judge.client", *where, number, log]
        log.touch()  # a client may be killed before it begins
        self._logs.append(log)
        self._clients.append(Daemon(arguments, self._folder / f"client{number}.log"))

    def completed(self) -> int:
        """Transactions that were told to be committed, so far."""
        for log in self._logs:
            read, count = self._counted.get(log, (0, 0))
            with log.open("rb") as file:
                file.seek(read)
                new = file.read()
            whole = new.rfind(b"\n") + 1
            self._counted[log] = read + whole, count + new.count(b', "ok", ', 0, whole)
        return sum(count for _, count in self._counted.values())

    def await_more(self, count: int) -> None:
        """Returns when so many more have been committed than now."""
        wanted, deadline = self.completed() + count, time.monotonic() + PATIENCE_S
        while self.completed() < wanted:
            for one in self._clients:
                assert one.process.poll() is None, one.text[-3000:]
            assert time.monotonic() < deadline, "nothing is committed any more"
            time.sleep(0.1)

    def kill_leader(self) -> None:
        """SIGKILL; another one stands by at once."""
        leader = self._leader()
        leader.kill()
        self.oracles.start()
        until(lambda: self._leader() is not leader)
        self.spoilt += 1

    def stop_leader(self) -> None:
        """SIGSTOP; and SIGCONT when somebody else leads."""
        leader = self._leader()
        leader.process.send_signal(signal.SIGSTOP)
        self.oracles.start()
        until(lambda: self._leader() is not leader)
        leader.process.send_signal(signal.SIGCONT)
        self.spoilt += 1

    def kill_client(self) -> None:
        """SIGKILL, in the midst of what it does; another one takes its place."""
        self._clients.pop(0).kill()
        self.start_client()

    def end(self) -> list[Transaction]:
        """The history."""
        for one in self._clients:
            code = one.stop()
            assert code in (0, -signal.SIGTERM), one.text[-3000:]  # the latter: it had not even begun
        self._look_at_all()
        return transactions(self._logs)

    def close(self) -> None:
        for one in self._clients:
            if one.process.poll() is None:
                one.kill()
        self._leaders.close()

    def _leader(self) -> Daemon:
        """The one that has published last that it leads."""
        leader = self._leaders.current()
        assert leader is not None
        (found,) = (one for one in self.oracles.daemons if told(one, "standby")[-1]["address"] == leader.address)
        return found

    def _look_at_all(self) -> None:
        """In one transaction, by a client that has just come."""
        keys = {key for one in transactions(self._logs) for key, _ in one.appends()}
        repo, *connections = client.connected(self.oracles.prefix, self.cluster.zookeeper, self.cluster.thrift)
        log = self._folder / "judge.jsonl"
        with repo.snapshot() as snapshot, log.open("w") as file:
            lists = client.read(snapshot, sorted(keys))
            read = [Operation(key, "", elements) for key, elements in lists.items()]
            Log(file).invoke("judge", read)
            Log(file).complete("judge", "ok", read)
        self._logs.append(log)
        for connection in connections[::-1]:
            connection.close()


@contextmanager
def running(cluster: RunningCluster, folder: Path) -> Iterator[Run]:
    with oracles(cluster, folder) as pair:
        run = Run(pair, folder)
        try:
            run.start()
            yield run
        finally:
            run.close()


def in_short(history: Sequence[Transaction]) -> str:
    """How much there was to judge, in a line."""
    outcomes = Counter(one.outcome for one in history)
    appends = sum(1 for one in history if one.outcome == "ok" for _ in one.appends())
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.most_common())
    return f"{len(history):,} transactions ({counts}) with {appends:,} appends that are there"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--transactions", type=int, default=20_000, help="that are committed, at least")
    arguments.add_argument("--keep", type=Path, help="a folder for the servers' data and the history")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (given.keep or Path(temporary)).resolve()
        (folder / "history").mkdir(parents=True, exist_ok=True)
        cluster = RunningCluster(folder)
        cluster.up()
        try:
            with running(cluster, folder / "history") as run:
                history = _spoilt(run, given.transactions)
        finally:
            cluster.down()
    print(f"\n{in_short(history)}; leaders went {run.spoilt} times")
    began, found = time.monotonic(), anomalies(history)
    print(f"judged in {time.monotonic() - began:.1f} s: {len(found) or 'no'} anomalies")
    print(*found[:10], sep="\n")
    return 1 if found else 0


def _spoilt(run: Run, count: int) -> list[Transaction]:
    """Leaders are killed, and now and then one is stopped, or a client killed, until `count` are committed."""
    strokes = (run.kill_leader, run.kill_leader, run.stop_leader, run.kill_leader, run.kill_client)
    number = 0
    while run.completed() < count:
        time.sleep(CALM_S)
        strokes[number % len(strokes)]()
        number += 1
        run.await_more(1)
        print(f"\r{run.completed():,} of {count:,}, leaders went {run.spoilt} times", end="", flush=True)
    run.await_more(10)
    return run.end()


if __name__ == "__main__":
    sys.exit(main())
