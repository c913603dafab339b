"""The whole of it: engine, oracles as processes, real HBase. Lists are appended to while the leading oracle is killed:
each element that was told "committed" is there once, no other is, and no list ever shrank."""

import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from secrets import token_bytes
from threading import Thread

import pytest

from ops.engine.clock import SystemClock
from proto.errors import UnavailableError
from repo.api import Keep, OutcomeKind, TableSpec, Transaction
from repo.hbase.repo import HbaseRepo, HbaseSettings
from tests.support.cluster import RunningCluster
from tests.support.engines import key_of
from tests.support.hbase import real_cells, real_tables
from tests.support.oracle_processes import Oracles, oracles
from tests.support.oracles import until

LISTS = [key_of("list", number) for number in range(3)]
TABLE = TableSpec("lists", {"a": Keep.VERSIONED})
WRITERS = 3


class Appender:
    """Appends a number of its own to each list in turn, in a transaction that also checks the list after it. told: what
    became of each."""

    def __init__(self, repo: HbaseRepo, number: int) -> None:
        self.told: dict[bytes, OutcomeKind] = {}
        self._repo, self._number, self._wanted = repo, number, True
        self.thread = Thread(target=self._run)
        self.thread.start()

    def committed(self) -> int:
        return list(self.told.values()).count(OutcomeKind.COMMITTED)

    def stop(self) -> None:
        self._wanted = False
        self.thread.join(60)
        assert not self.thread.is_alive()

    def _run(self) -> None:
        at, at_least = 0, 0
        while self._wanted:
            element = b"%d:%d" % (self._number, at)
            try:
                transaction = self._appending(element, at, at_least)
                (outcome,) = self._repo.commit([transaction])
                while outcome.kind is OutcomeKind.UNKNOWN:
                    outcome = self._repo.settle(transaction, outcome)
            except UnavailableError:
                continue
            self.told[element] = outcome.kind
            at, at_least = at + 1, outcome.commit_timestamp

    def _appending(self, element: bytes, at: int, at_least: int) -> Transaction:
        mine, next_one = LISTS[at % 3], LISTS[(at + 1) % 3]
        with self._repo.snapshot(at_least) as snapshot:
            (found,) = snapshot.read("lists", "a", [mine])
            transaction = Transaction(snapshot.timestamp)
        transaction.write("lists", mine, "a", (found.value or b"" if found else b"") + element + b" ")
        transaction.check("lists", next_one, "a")
        return transaction


@pytest.fixture
def two(hbase: RunningCluster, tmp_path: Path) -> Iterator[Oracles]:
    """One leads, one stands by."""
    with oracles(hbase, tmp_path) as both:
        both.start_two()
        yield both


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=lambda how: how.name)
def test_no_element_is_lost_or_comes_back_when_the_leader_goes(
    hbase: RunningCluster, two: Oracles, how: signal.Signals
) -> None:
    oracle, _ = two.client()
    cells, tables = real_cells(hbase), real_tables(hbase)
    repo = HbaseRepo(cells, tables, oracle, SystemClock(), token_bytes(8), HbaseSettings(two.prefix))
    repo.declare([TABLE])
    appenders = [Appender(repo, number) for number in range(WRITERS)]
    try:
        until(lambda: sum(appender.committed() for appender in appenders) >= 60)
        first = two.leader()
        first.process.send_signal(how)
        before = sum(appender.committed() for appender in appenders)
        until(lambda: sum(appender.committed() for appender in appenders) >= before + 30)
        first.process.send_signal(signal.SIGCONT)
        until(lambda: sum(appender.committed() for appender in appenders) >= before + 60)
    finally:
        for appender in appenders:
            appender.stop()
    told = {element: kind for appender in appenders for element, kind in appender.told.items()}
    with repo.snapshot() as snapshot:
        histories = [snapshot.history("lists", "a", key, limit=10_000) for key in LISTS]
    for history in histories:
        for newer, older in pairwise(history):
            assert older.value is not None and newer.value is not None
            assert newer.value.startswith(older.value) and newer.value != older.value
    elements = [element for history in histories for element in (history[0].value or b"").split()]
    assert sorted(elements) == sorted(element for element, kind in told.items() if kind is OutcomeKind.COMMITTED)
    cells.close()
