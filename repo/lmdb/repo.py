"""The Storage Repo on LMDB: what repo.api promises, put together from its parts."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import count

from proto.ports.clock import Clock
from repo.api import Outcome, Snapshot, TableSpec, Transaction
from repo.lmdb.catalog import Catalog
from repo.lmdb.commit import Append, CommitBatch, Prepared
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.garbage import GarbageCollector
from repo.lmdb.layout import CELLS, INDEX, LAST_TIMESTAMP, VALUES, stored_timestamp
from repo.lmdb.retention import Retention
from repo.lmdb.snapshot import LmdbSnapshot, too_new
from repo.lmdb.still import StillSnapshot
from repo.lmdb.store import META


class LmdbRepo:
    """See repo.api.Repo. `append` puts messages on the log, in the commit's LMDB transaction.

    Inside a group (`LmdbEnvironment.group`) everything joins the group's commit, and snapshots see what the group has
    committed so far.
    """

    def __init__(self, environment: LmdbEnvironment, clock: Clock, append: Append) -> None:
        self._environment, self._clock, self._append = environment, clock, append
        for name in (META, CELLS, VALUES, INDEX):
            environment.database(name)
        self._catalog = Catalog(environment)
        self._retention = Retention(environment)
        self._garbage = GarbageCollector(environment, self._catalog, self._retention)
        self._lease_numbers = count()

    def declare(self, tables: Sequence[TableSpec]) -> None:
        self._catalog.declare(tables)

    def tables(self) -> Iterator[TableSpec]:
        return self._catalog.specs()

    def snapshot(self, at_least: int = 0, still: bool = False) -> Snapshot:
        if still:
            return StillSnapshot(self._environment, self._catalog, self._retention, at_least)
        timestamp = self.last_timestamp()
        if timestamp < at_least:
            raise too_new(at_least, timestamp)
        return self._snapshot(timestamp)

    def snapshot_at(self, timestamp: int) -> Snapshot:
        with self._environment.read() as transaction:
            self._retention.check(transaction, timestamp)
        return self._snapshot(min(timestamp, self.last_timestamp()))

    def lease(self, snapshot: Snapshot, seconds: float) -> AbstractContextManager[None]:
        return self._leased(snapshot.timestamp, seconds)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        catalog = self._catalog
        members = [Prepared(catalog, transaction) for transaction in transactions]
        if not members:
            return []
        environment = self._environment
        with environment.write() as transaction:
            watermark = self._retention.watermark(transaction)
            batch = CommitBatch(environment, catalog, transaction, watermark, self._now_ns())
            outcomes = batch.run(members)
            batch.store(self._append)
        return outcomes

    def settle(self, transaction: Transaction, unknown: Outcome) -> Outcome:
        return unknown  # no outcome of this engine is: a commit is looked for before it returns, or raises

    def last_timestamp(self) -> int:
        return stored_timestamp(self._environment.get(META, LAST_TIMESTAMP))

    def collect_garbage(self, before: int, limit: int = 10_000) -> int:
        return self._garbage.collect(before, limit, self._now_ns())

    def _snapshot(self, timestamp: int) -> LmdbSnapshot:
        return LmdbSnapshot(self._environment, self._catalog, self._retention, timestamp)

    def _now_ns(self) -> int:
        return int(self._clock.now_ms() * 1_000_000)

    @contextmanager
    def _leased(self, timestamp: int, seconds: float) -> Iterator[None]:
        lease_id = self._environment.nonce + next(self._lease_numbers).to_bytes(8, "big")
        self._retention.take_lease(lease_id, timestamp, self._now_ns() + int(seconds * 1e9))
        try:
            yield
        finally:
            self._retention.release_lease(lease_id)
