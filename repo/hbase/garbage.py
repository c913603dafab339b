"""Garbage collection below the gc watermark, and what it promises before it takes anything away.

1. the watermark is raised, held back by leases (F12)
2. a slice of the walk along all tables (walk.py) deletes what is garbage (deletions.py), and heals what it meets
3. when the walk has been everywhere, every committed version with an id below the horizon at which it began has its
   shadow cell: the sweep horizon moves there (F8)
4. the commit table is swept up to that horizon (sweep.py)
"""

from dataclasses import dataclass

from msgspec.structs import replace

from repo.hbase.catalog import Catalog
from repo.hbase.cells import Cells
from repo.hbase.commit_table import CommitTable
from repo.hbase.cover import Cover
from repo.hbase.deletions import Deletions
from repo.hbase.gc_state import GcState, GcStateCell
from repo.hbase.messages import Messages
from repo.hbase.sweep import Sweep
from repo.hbase.walk import START, Walk, Walked
from repo.oracle.port import TimestampOracle

_NANOSECONDS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class GarbageSettings:
    """settled_ms: what was begun so much longer ago than the newest commit is decided, and no repeated write of it can
    land any more. Above the oracle's age limit, and above the gateway's longest retry. covered_max: rows
    of a page whose aborted cells are covered (cover.py)."""

    settled_ms: int = 600_000
    covered_max: int = 100


class GarbageCollector:
    """Several processes may collect at once; each slice counts for one of them."""

    def __init__(
        self,
        cells: Cells,
        oracle: TimestampOracle,
        catalog: Catalog,
        gc: GcStateCell,
        commit_table: CommitTable,
        cover: Cover,
        settings: GarbageSettings,
    ) -> None:
        self._oracle, self._gc = oracle, gc
        deletions = Deletions(cells, oracle, commit_table, cover, settings.covered_max)
        self._walk = Walk(cells, catalog, deletions, Messages(cells))
        self._sweep = Sweep(commit_table)
        self._settled_ns = settings.settled_ms * _NANOSECONDS_PER_MS

    def collect(self, before: int, limit: int, now_ns: int) -> int:
        """See Repo.collect_garbage; of what nobody has committed not all is counted. now_ns: wall clock, for leases."""
        newest = self._oracle.snapshot()
        # F12: persisted before anything is deleted, by the same cell that a lease is taken in.
        state = self._gc.change(lambda state: self._raised(state, min(before, newest), now_ns))
        walked = self._walk.run(state.position, state.watermark, self._settled(state), limit)
        # F8: the horizon is persisted before anything is swept.
        state = self._gc.change(lambda now: _moved(now, state, walked))
        self._sweep.run(state.sweep_horizon, limit)
        if walked.failure is not None:
            raise walked.failure
        return walked.removed

    def _raised(self, state: GcState, wanted: int, now_ns: int) -> GcState:
        """The watermark moves to `wanted`, but not past a live lease, and never back."""
        leases = tuple(lease for lease in state.leases if lease.expiry_ns > now_ns)
        watermark = max(state.watermark, min([wanted, *(lease.timestamp for lease in leases)]))
        raised = replace(state, watermark=watermark, leases=leases)
        return replace(raised, heal_horizon=self._settled(raised)) if state.position == START else raised

    def _settled(self, state: GcState) -> int:
        """What has an id below it is decided, and lands no more."""
        return max(0, state.watermark - self._settled_ns)


def _moved(now: GcState, mine: GcState, walked: Walked) -> GcState:
    """Unless somebody else has walked the slice, too. A walk that has left out a table heals up to nowhere."""
    if (now.position, now.heal_horizon) != (mine.position, mine.heal_horizon):
        return now
    healed = 0 if walked.passed_over else now.heal_horizon
    horizon = max(now.sweep_horizon, healed) if walked.position == START else now.sweep_horizon
    return replace(now, position=walked.position, heal_horizon=healed, sweep_horizon=horizon)
