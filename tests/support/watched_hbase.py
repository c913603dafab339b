"""The HBase engine on twins whose calls are counted, and in which a client can be killed at any call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from repo.api import Transaction
from repo.hbase.cells import Range, Row, Stored
from repo.hbase.garbage import GarbageSettings
from repo.hbase.memory import MemoryCells
from repo.hbase.names import TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.repo import HbaseRepo, HbaseSettings
from repo.oracle.in_process import InProcessOracle
from repo.oracle.oracle import Oracle
from repo.oracle.port import Begun, CommitRequest, Decision, Resolution
from repo.oracle.state_machine import OracleLimits
from tests.support.engines import ITEMS, TABLES, ManualClock, key_of

T = TypeVar("T")
NAMES = TableNames()
SETTINGS = HbaseSettings(garbage=GarbageSettings(settled_ms=120_000))


class Killed(BaseException):
    """Of a process that is gone: nothing may catch it."""


@dataclass
class Calls:
    """names: of all calls so far, `kind table`; scanned: how many ranges each call for many had. before, after: called
    with the number of each call, and may raise."""

    names: list[str] = field(default_factory=list)
    scanned: list[int] = field(default_factory=list)
    before: Callable[[int], None] = lambda number: None
    after: Callable[[int], None] = lambda number: None

    def do(self, name: str, call: Callable[[], T]) -> T:
        number = len(self.names)
        self.names.append(name)
        self.before(number)
        answer = call()
        self.after(number)
        return answer


class WatchedCells:
    """repo.hbase.cells.Cells of one client, on cells that it shares with others."""

    def __init__(self, cells: MemoryCells, calls: Calls) -> None:
        self._cells, self._calls = cells, calls

    def put(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        self._calls.do(f"put {table}", lambda: self._cells.put(table, timestamp, rows))

    def put_soon(self, table: str, timestamp: int, rows: Mapping[bytes, Mapping[bytes, bytes]]) -> None:
        self._calls.do(f"put-soon {table}", lambda: self._cells.put_soon(table, timestamp, rows))

    def get(
        self, table: str, rows: Sequence[bytes], columns: Sequence[bytes], before: int | None = None
    ) -> dict[bytes, Row]:
        return self._calls.do(f"get {table}", lambda: self._cells.get(table, rows, columns, before))

    def versions(self, table: str, row: bytes, column: bytes, before: int | None, limit: int) -> list[Stored]:
        return self._calls.do(f"versions {table}", lambda: self._cells.versions(table, row, column, before, limit))

    def scan(
        self, table: str, start: bytes, stop: bytes | None, columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[tuple[bytes, Row]]:
        return self._calls.do(f"scan {table}", lambda: self._cells.scan(table, start, stop, columns, before, limit))

    def scans(
        self, table: str, ranges: Sequence[Range], columns: Sequence[bytes], before: int | None, limit: int
    ) -> list[list[tuple[bytes, Row]]]:
        found = self._calls.do(f"scans {table}", lambda: self._cells.scans(table, ranges, columns, before, limit))
        self._calls.scanned.append(len(ranges))
        return found

    def delete(self, table: str, timestamp: int, rows: Mapping[bytes, Sequence[bytes]]) -> None:
        self._calls.do(f"delete {table}", lambda: self._cells.delete(table, timestamp, rows))

    def check_and_put(self, table: str, row: bytes, column: bytes, expected: bytes | None, value: bytes) -> bool:
        return self._calls.do(f"cas {table}", lambda: self._cells.check_and_put(table, row, column, expected, value))

    def regions(self, table: str) -> list[tuple[bytes, bytes | None]]:
        return self._cells.regions(table)


class WatchedOracle:
    """repo.oracle.port.TimestampOracle, as seen by one client."""

    def __init__(self, oracle: InProcessOracle, calls: Calls) -> None:
        self._oracle, self._calls = oracle, calls

    def snapshot(self, at_least: int = 0) -> int:
        return self._calls.do("snapshot", lambda: self._oracle.snapshot(at_least))

    def begin(self, count: int = 1, at_least: int = 0) -> list[Begun]:
        return self._calls.do("begin", lambda: self._oracle.begin(count, at_least))

    def commit(self, requests: Sequence[CommitRequest]) -> list[Decision]:
        return self._calls.do("commit", lambda: self._oracle.commit(requests))

    def resolve(self, ids: Sequence[int]) -> list[Resolution]:
        return self._calls.do("resolve", lambda: self._oracle.resolve(ids))

    def settle(self, ids: Sequence[int]) -> list[Resolution]:
        return self._calls.do("settle", lambda: self._oracle.settle(ids))


class World:
    """Cells and an oracle that any number of clients share."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.cells = MemoryCells(self.clock)
        self.cells.require(oracle_tables(NAMES))
        self._nonces = 0
        self.oracle = InProcessOracle(self._leader())

    def take_over(self) -> None:
        """Another oracle leads from now on."""
        self.oracle.leader = self._leader()

    def client(self, calls: Calls | None = None) -> HbaseRepo:
        """A process of its own. calls: watched from when it has started."""
        watched, wanted = calls or Calls(), calls
        cells, oracle = WatchedCells(self.cells, watched), WatchedOracle(self.oracle, watched)
        before, after = watched.before, watched.after
        watched.before = watched.after = lambda number: None
        repo = HbaseRepo(cells, self.cells, oracle, self.clock, self._nonce(), SETTINGS)
        repo.declare(TABLES)
        if wanted is not None:
            wanted.names.clear()
            wanted.before, wanted.after = before, after
        return repo

    def put(self, repo: HbaseRepo, **values: bytes | None) -> int:
        """Commits some cells of ITEMS."""
        transaction = Transaction(repo.last_timestamp())
        for key, value in values.items():
            if value is None:
                transaction.delete(ITEMS, key_of(key), "a")
            else:
                transaction.write(ITEMS, key_of(key), "a", value)
        (outcome,) = repo.commit([transaction])
        assert outcome.committed
        return outcome.commit_timestamp

    def put_and_die(self, value: bytes, after: str) -> None:
        """Puts x by a client that dies after its first such call: "commit", so that there is no shadow cell; "put", so
        that the oracle was not asked."""
        calls = Calls()

        def kill(number: int) -> None:
            if calls.names[number].split()[0] == after:
                raise Killed

        calls.after = kill
        with pytest.raises(Killed):
            self.put(self.client(calls), x=value)

    def _leader(self) -> Oracle:
        limits = OracleLimits(cells_max=10_000)
        return Oracle(oracle_storage(self.cells, NAMES, self._nonce()), self.clock, limits)

    def _nonce(self) -> bytes:
        self._nonces += 1
        return b"process %d" % self._nonces
