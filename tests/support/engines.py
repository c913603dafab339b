"""Every engine behind repo/api.py, ready for the suites that are written against the port only."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes

from ops.brokers.lmdb import LmdbLog
from proto.codec import encode_key
from repo.api import Keep, Outcome, Repo, TableSpec, Transaction, Version
from repo.hbase.cells import Cells, Tables
from repo.hbase.garbage import GarbageSettings
from repo.hbase.memory import MemoryCells
from repo.hbase.names import TableNames
from repo.hbase.oracle_storage import oracle_storage, oracle_tables
from repo.hbase.prepared import notification_column
from repo.hbase.repo import HbaseRepo, HbaseSettings
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.repo import LmdbRepo
from repo.oracle.in_process import InProcessOracle
from repo.oracle.oracle import Oracle
from repo.oracle.port import TimestampOracle
from repo.oracle.state_machine import OracleLimits
from tests.support.memory_repo import MemoryRepo

ITEMS, DOCUMENTS, LINKS = "items", "document:item", "ref:items.parent"
TABLES = (
    TableSpec(ITEMS, {"a": Keep.VERSIONED, "b": Keep.VERSIONED}),
    TableSpec(DOCUMENTS, {"content": Keep.VERSIONED, "build": Keep.NEWEST}, large=frozenset({"content"})),
    TableSpec(LINKS, {"": Keep.INDEX}),
)


class ManualClock:
    """proto.ports.clock.Clock that stands still until a test moves it."""

    def __init__(self, ms: float = 1_000_000.0) -> None:
        self.ms = ms

    def now_ms(self) -> float:
        return self.ms

    def monotonic_ms(self) -> float:
        return self.ms


@dataclass
class Engine:
    """A Repo with TABLES, its clock, and a way to look at the messages that commits appended to (topic, partition)."""

    repo: Repo
    clock: ManualClock
    messages: Callable[[str, int], list[bytes]]

    def begin(self, at_least: int = 0) -> Transaction:
        """A transaction at the newest snapshot."""
        with self.repo.snapshot(at_least) as snapshot:
            return Transaction(snapshot.timestamp)

    def commit(self, *transactions: Transaction) -> list[Outcome]:
        return self.repo.commit(transactions)

    def put(self, key: int | str, value: bytes | None, group: str = "a", table: str = ITEMS) -> int:
        """Commits one cell; None deletes it. Returns the commit timestamp."""
        transaction = self.begin()
        if value is None:
            transaction.delete(table, key_of(key), group)
        else:
            transaction.write(table, key_of(key), group, value)
        (outcome,) = self.commit(transaction)
        assert outcome.committed
        return outcome.commit_timestamp

    def get(self, key: int | str, group: str = "a", table: str = ITEMS, at: int | None = None) -> bytes | None:
        """The value now, or as of `at`."""
        with self.repo.snapshot() if at is None else self.repo.snapshot_at(at) as snapshot:
            return value_of(snapshot.read(table, group, [key_of(key)])[0])


def key_of(*parts: int | str) -> bytes:
    return encode_key(("shop", *parts))


def value_of(version: Version | None) -> bytes | None:
    return None if version is None else version.value


@contextmanager
def lmdb_engine(folder: Path, tables: Sequence[TableSpec] = TABLES) -> Iterator[Engine]:
    clock = ManualClock()
    environment = LmdbEnvironment(folder, clock, nonce=b"test")
    log = LmdbLog(environment)
    repo = LmdbRepo(environment, clock, log.append_in)
    repo.declare(tables)

    def messages(topic: str, partition: int) -> list[bytes]:
        return [message.value for message in log.read(topic, partition, 0, 10_000)]

    yield Engine(repo, clock, messages)
    environment.close()


@contextmanager
def hbase_twin_engine(folder: Path, tables: Sequence[TableSpec] = TABLES) -> Iterator[Engine]:
    """The HBase engine on the cells' twin, with an oracle in the same process. Opening the same folder again finds the
    same cells, and a new oracle that takes over."""
    cells, clock = _TWINS.setdefault(folder, _twin())
    with hbase_engine(cells, cells, clock, tables) as engine:
        yield engine


@contextmanager
def hbase_engine(
    cells: Cells, store: Tables, clock: ManualClock, tables: Sequence[TableSpec] = TABLES, prefix: str = ""
) -> Iterator[Engine]:
    """On any cells, with an oracle of its own that takes over from the one before. Nothing is covered: a row that is
    has a new commit timestamp, of which no test of the port knows."""
    nonce, names = token_bytes(8), TableNames(prefix)
    store.require(oracle_tables(names))
    oracle = InProcessOracle(Oracle(oracle_storage(cells, names, nonce), clock, OracleLimits(cells_max=100_000)))
    repo = HbaseRepo(cells, store, oracle, clock, nonce, HbaseSettings(prefix, garbage=GarbageSettings(covered_max=0)))
    repo.declare(tables)
    yield Engine(repo, clock, lambda topic, partition: notifications(repo, cells, oracle, names, topic, partition))


def notifications(
    repo: Repo, cells: Cells, oracle: TimestampOracle, names: TableNames, topic: str, partition: int
) -> list[bytes]:
    """Commit timestamp and payload of each committed message, in order: what will come out of the write-ahead log."""
    prefix, found = notification_column(topic, partition, 0)[:-4], []
    for spec in repo.tables():
        for _, columns in cells.scan(names.data(spec.name), b"", None, [b"n"], None, 10_000):
            found += [(cell.timestamp, name, cell.value) for name, cell in columns.items() if name.startswith(prefix)]
    fates = {id: oracle.resolve([id])[0] for id, _, _ in found}
    committed = sorted((fates[id].commit_timestamp, name, value) for id, name, value in found)
    return [stamp.to_bytes(8, "big") + value for stamp, _, value in committed if stamp]


_TWINS: dict[Path, tuple[MemoryCells, ManualClock]] = {}


def _twin() -> tuple[MemoryCells, ManualClock]:
    clock = ManualClock()
    return MemoryCells(clock), clock


@contextmanager
def memory_engine(folder: Path, tables: Sequence[TableSpec] = TABLES) -> Iterator[Engine]:
    repo = MemoryRepo()
    repo.declare(tables)
    yield Engine(repo, ManualClock(), lambda topic, partition: repo.messages.get((topic, partition), []))


ENGINES = {"lmdb": lmdb_engine, "memory": memory_engine, "hbase-twin": hbase_twin_engine}
DURABLE_ENGINES = {"lmdb": lmdb_engine, "hbase-twin": hbase_twin_engine}
"""Those that products run on; the others are twins for tests, and may lack leases, bounded slices, clocks."""
