"""A client process of a list-append run: several threads, each with transactions of its own, until SIGTERM.

PREFIX ZOOKEEPER THRIFT NUMBER LOG: which tables, which servers, which client it is, where it writes down what happens.
"""

import signal
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from secrets import token_bytes
from threading import Event, Lock, Thread

from ops.engine.clock import SystemClock
from ops.wiring.oracle import election_path
from proto.codec import encode_key
from proto.errors import TooOldError, UnavailableError
from repo import api
from repo.api import Keep, OutcomeKind, Repo, Snapshot, TableSpec
from repo.hbase.repo import HbaseRepo, HbaseSettings
from repo.hbase.tables import MasterTables
from repo.hbase.thrift import ThriftCells
from repo.oracle.grpc_client import GrpcOracle
from repo.oracle.zookeeper import ZookeeperLeaders
from tests.judge.history import Log, Operation, Outcome

TABLE, GROUP = "lists", "a"
SPEC = TableSpec(TABLE, {GROUP: Keep.VERSIONED})
THREADS = 4
LISTS = 60
"""At a time: so that transactions meet."""
STEPS_A_LIST = 40
"""So many steps of a thread, and it goes over to other lists: reading and writing them again takes longer each time."""
ANSWER_MS_MAX = 30_000
REST_S = 0.1
"""While servers don't answer."""


class Client:
    """ends: set once it is to end."""

    def __init__(self, repo: Repo, log: Log, ends: Event) -> None:
        self._repo, self._log, self._ends = repo, log, ends
        self._turn = Lock()

    def work(self, name: str, begin: int) -> None:
        """Half of the steps are one transaction, the others some in one call. begin: on which lists."""
        random, number = Random(name), 0
        while not self._ends.is_set():
            first = (begin + number // STEPS_A_LIST) * LISTS // 2
            members = {
                f"{name}.{place}": _drawn(random, first, f"{name}.{number}.{place}")
                for place in range(random.choice((1, 1, 4, 8)))
            }
            self._step(members)
            number += 1

    def _step(self, members: dict[str, list[Operation]]) -> None:
        """members: by process, what each is to do; all at one snapshot, in one call of `commit`."""
        with self._turn:
            for process, operations in members.items():
                self._log.invoke(process, operations)
        try:
            done, transactions = self._read(list(members.values()))
            outcomes = self._committed(transactions)
        except (UnavailableError, TooOldError):
            done, outcomes = list(members.values()), ["fail"] * len(members)
            self._ends.wait(REST_S)
        with self._turn:
            for process, operations, outcome in zip(members, done, outcomes, strict=True):
                self._log.complete(process, outcome, operations)

    def _read(self, members: Sequence[list[Operation]]) -> tuple[list[list[Operation]], list[api.Transaction]]:
        with self._repo.snapshot() as snapshot:
            lists = read(snapshot, sorted({one.key for operations in members for one in operations}))
            made = [carried_out(operations, lists, snapshot.timestamp) for operations in members]
        return [done for done, _ in made], [transaction for _, transaction in made]

    def _committed(self, transactions: Sequence[api.Transaction]) -> list[Outcome]:
        """Those that write nothing need no commit."""
        writing = [one for one in transactions if one.writes]
        outcomes = iter(self._repo.commit(writing) if writing else ())
        return [self._told(one, next(outcomes)) if one.writes else "ok" for one in transactions]

    def _told(self, transaction: api.Transaction, outcome: api.Outcome) -> Outcome:
        while outcome.kind is OutcomeKind.UNKNOWN and not self._ends.is_set():
            outcome = self._repo.settle(transaction, outcome)
        return "ok" if outcome.committed else "unknown" if outcome.kind is OutcomeKind.UNKNOWN else "fail"


def _drawn(random: Random, first: int, name: str) -> list[Operation]:
    keys = [f"{first + random.randrange(LISTS)}" for _ in range(random.randint(1, 4))]
    return [
        Operation(key, f"{name}.{place}") if random.random() < 0.6 else Operation(key, "", ())
        for place, key in enumerate(keys)
    ]


def carried_out(
    operations: Sequence[Operation], lists: dict[str, tuple[str, ...]], snapshot: int
) -> tuple[list[Operation], api.Transaction]:
    """What they read, each after those before it; and the transaction that appends."""
    lists, transaction, done = dict(lists), api.Transaction(snapshot), list[Operation]()
    for one in operations:
        if one.reads is not None:
            done.append(one._replace(reads=lists[one.key]))
            continue
        done.append(one)
        lists[one.key] = (*lists[one.key], one.element)
        transaction.write(TABLE, key_of(one.key), GROUP, " ".join(lists[one.key]).encode())
    return done, transaction


def read(snapshot: Snapshot, keys: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The lists of these keys."""
    found = snapshot.read(TABLE, GROUP, [key_of(key) for key in keys])
    values = (version.value if version is not None else None for version in found)
    return {key: tuple((value or b"").decode().split()) for key, value in zip(keys, values, strict=True)}


def key_of(key: str) -> bytes:
    return encode_key(("list", int(key)))


def connected(prefix: str, zookeeper: str, thrift: str) -> tuple[HbaseRepo, ThriftCells, GrpcOracle, ZookeeperLeaders]:
    """The engine as a process of its own has it, and what is to be closed behind it."""
    host, port = thrift.rsplit(":", 1)
    clock = SystemClock()
    cells = ThriftCells(host, int(port), clock, ANSWER_MS_MAX)
    leaders = ZookeeperLeaders(zookeeper, election_path(prefix))
    oracle = GrpcOracle(leaders)
    tables = MasterTables(zookeeper, clock, time.sleep)
    repo = HbaseRepo(cells, tables, oracle, clock, token_bytes(8), HbaseSettings(prefix))
    repo.declare([SPEC])
    return repo, cells, oracle, leaders


def main(prefix: str, zookeeper: str, thrift: str, number: str, log: str) -> None:
    ends = Event()
    signal.signal(signal.SIGTERM, lambda *_: ends.set())
    repo, cells, oracle, leaders = connected(prefix, zookeeper, thrift)
    with closing(cells), closing(leaders), closing(oracle), Path(log).open("a") as file:
        client = Client(repo, Log(file), ends)
        threads = [Thread(target=client.work, args=(f"{number}.{thread}", int(number))) for thread in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
