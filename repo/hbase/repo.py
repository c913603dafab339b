"""The Storage Repo on HBase: what repo.api promises, put together from its parts."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

from msgspec.structs import replace

from proto.errors import AdsIndexError, UnavailableError
from proto.ports.clock import Clock
from repo.api import Outcome, OutcomeKind, Snapshot, TableSpec, Transaction
from repo.hbase import catalog, commit_table, gc_state
from repo.hbase.catalog import Catalog
from repo.hbase.cells import Cells, Tables
from repo.hbase.commit import BatchCommit, Group
from repo.hbase.commit_cache import CommitCache
from repo.hbase.commit_table import CommitTable
from repo.hbase.cover import Cover
from repo.hbase.garbage import GarbageCollector, GarbageSettings
from repo.hbase.gc_state import GcState, GcStateCell, Lease
from repo.hbase.healing import Healing
from repo.hbase.ladder import ReadLadder
from repo.hbase.names import TableNames
from repo.hbase.newest import Newest
from repo.hbase.outcomes import Settlement
from repo.hbase.prepared import Prepared
from repo.hbase.snapshot import HbaseSnapshot
from repo.hbase.spare_ids import SpareIds
from repo.oracle.port import TimestampOracle


@dataclass(frozen=True, slots=True)
class HbaseSettings:
    """prefix: before the names of all tables, for several Repos in one HBase. cached_ids_max: commit timestamps kept in
    memory, 150 bytes each. spare_id_ms_max: how long an id that came with a snapshot is good for a commit; well below
    the age at which the oracle refuses it."""

    prefix: str = ""
    cached_ids_max: int = 200_000
    spare_id_ms_max: float = 1_000.0
    garbage: GarbageSettings = field(default_factory=GarbageSettings)


class HbaseRepo:
    """See repo.api.Repo. As safe for threads as `cells` and `oracle` are; any number of processes may hold one."""

    def __init__(
        self,
        cells: Cells,
        tables: Tables,
        oracle: TimestampOracle,
        clock: Clock,
        nonce: bytes,
        settings: HbaseSettings | None = None,
    ) -> None:
        """nonce: of this process, never used before. Makes what tables are absent; raises SettingsError for those with
        other settings."""
        settings = settings or HbaseSettings()
        names = TableNames(settings.prefix)
        tables.require(
            {
                names.commit_table: commit_table.FAMILIES,
                names.catalog: catalog.FAMILIES,
                names.gc: gc_state.FAMILIES,
            }
        )
        self._cells, self._oracle, self._clock, self._nonce = cells, oracle, clock, nonce
        self._catalog = Catalog(cells, tables, names)
        self._gc = GcStateCell(cells, names.gc, nonce)
        self._cache = CommitCache(settings.cached_ids_max)
        committed = CommitTable(cells, names.commit_table)
        self._healing = Healing(cells)
        self._ladder = ReadLadder(cells, committed, self._cache, self._healing)
        self._ids = SpareIds(oracle, clock, settings.spare_id_ms_max)
        cover = Cover(cells, oracle, self._ids, self._catalog, self._ladder, self._cache)
        self._garbage = GarbageCollector(cells, oracle, self._catalog, self._gc, committed, cover, settings.garbage)
        self._lease_numbers = count()
        self._known = Newest()  # of the commits and snapshots that this process was told of (F13)

    def declare(self, tables: Sequence[TableSpec]) -> None:
        self._catalog.declare(tables)

    def tables(self) -> Iterator[TableSpec]:
        return self._catalog.specs()

    def snapshot(self, at_least: int = 0, still: bool = False) -> Snapshot:
        # Always still: index entries have versions here.
        return self._snapshot(self._begin(at_least))

    def snapshot_at(self, timestamp: int) -> Snapshot:
        newest = self._begin()
        self._gc.check(timestamp)
        return self._snapshot(min(timestamp, newest))

    def lease(self, snapshot: Snapshot, seconds: float) -> AbstractContextManager[None]:
        return self._leased(snapshot.timestamp, seconds)

    def commit(self, transactions: Sequence[Transaction]) -> list[Outcome]:
        """UNKNOWN carries the id in place of a commit timestamp, for `settle`."""
        members = [Prepared(self._catalog, transaction) for transaction in transactions]
        watermark = self._gc.seen.watermark
        fresh = [member for member in members if member.transaction.snapshot_timestamp >= watermark]
        committed = iter(BatchCommit(self._cells, self._oracle, self._ids, self._cache).run(fresh) if fresh else ())
        outcomes = [
            next(committed)
            if member.transaction.snapshot_timestamp >= watermark
            else Outcome(OutcomeKind.TOO_OLD, watermark)
            for member in members
        ]
        self._know(*(outcome.commit_timestamp for outcome in outcomes if outcome.committed))
        return outcomes

    def settle(self, transaction: Transaction, unknown: Outcome) -> Outcome:
        id = unknown.commit_timestamp
        group = Group(id, [Prepared(self._catalog, transaction)])
        decision = Settlement(self._cells, self._oracle).settle({id: group.places()})[id]
        if decision.kind is OutcomeKind.UNKNOWN:
            return unknown
        self._know(decision.timestamp)
        return Outcome(decision.kind, decision.timestamp)

    def last_timestamp(self) -> int:
        return self._begin()

    def collect_garbage(self, before: int, limit: int = 10_000) -> int:
        with suppress(AdsIndexError):  # a table may be away; the walk meets what is lost here
            self._healing.flush()
        return self._garbage.collect(before, limit, self._now_ns())

    def _begin(self, at_least: int = 0) -> int:
        """The newest snapshot."""
        snapshot = self._ids.snapshot(max(at_least, self._known.timestamp))
        self._know(snapshot)
        return snapshot

    def _know(self, *timestamps: int) -> None:
        """Snapshots to come are not below these, whoever gives them: a former leader does not get so far (F13)."""
        self._known.tell(max(timestamps, default=0))

    def _snapshot(self, timestamp: int) -> HbaseSnapshot:
        return HbaseSnapshot(self._cells, self._ladder, self._catalog, self._gc, timestamp, self._begin)

    def _now_ns(self) -> int:
        return int(self._clock.now_ms() * 1_000_000)

    @contextmanager
    def _leased(self, timestamp: int, seconds: float) -> Iterator[None]:
        lease = Lease(
            self._nonce + next(self._lease_numbers).to_bytes(8, "big"), timestamp, self._now_ns() + int(seconds * 1e9)
        )

        def taken(state: GcState) -> GcState:
            state.check(timestamp)
            return replace(state, leases=(*(other for other in state.leases if other.id != lease.id), lease))

        def released(state: GcState) -> GcState:
            return replace(state, leases=tuple(other for other in state.leases if other.id != lease.id))

        self._gc.change(taken)
        try:
            yield
        finally:
            with suppress(UnavailableError):  # it ends by itself
                self._gc.change(released)
