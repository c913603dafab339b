"""Garbage collection below the gc watermark, a slice at a time, along all cells of all tables and round again.

Of each cell the newest version committed at or below the watermark stays, and what lies below it goes: Thrift1 deletes
"all versions <= t" only, so it is asked for t = that version - 1, of the data and the shadow column. What is put there
later at or below t stays invisible; nobody does, for a transaction with so old an id would have conflicted.

The same walk heals what it meets: when it is through, every committed version with an id below the horizon at which it
began has its shadow cell, and the commit table can be swept up to there (sweep.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from msgspec.structs import replace

from repo.api import Keep
from repo.hbase.catalog import Catalog, Layout
from repo.hbase.cells import Cells, Row
from repo.hbase.commit_cache import CommitCache
from repo.hbase.commit_table import CommitTable
from repo.hbase.cover import Cover
from repo.hbase.gc_state import GcState, GcStateCell
from repo.hbase.healing import Healing
from repo.hbase.ladder import Committed, ReadLadder, shadow_of
from repo.hbase.shadow_cells import shadow_column
from repo.hbase.sweep import Sweep
from repo.oracle.port import Fate, TimestampOracle

_NANOSECONDS_PER_MS = 1_000_000
_VERSIONS_MAX = 10_000
_ROWS_A_PAGE = 1_000
_START = ("", "", b"")
_NEVER = (Fate.ABORTED, Fate.SWEPT)


@dataclass(frozen=True, slots=True)
class GarbageSettings:
    """settled_ms: what was begun so much longer ago than the newest commit is decided, and no repeated write of it can
    land any more. Above the oracle's age limit, and above the gateway's longest retry. covered_max: rows
    of a page whose aborted cells are covered (cover.py)."""

    settled_ms: int = 600_000
    covered_max: int = 100


class _Chain(NamedTuple):
    """What was found of a cell. kept: the version that stays, None if there is none; uncommitted: ids above it that
    nobody has committed, newest first; committed: whether any other above it is."""

    kept: Committed | None
    uncommitted: list[int]
    committed: bool


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
        self._cells, self._oracle, self._catalog, self._gc = cells, oracle, catalog, gc
        self._commit_table = commit_table
        self._sweep = Sweep(commit_table)
        self._cover, self._covered_max = cover, settings.covered_max
        self._settled_ns = settings.settled_ms * _NANOSECONDS_PER_MS

    def collect(self, before: int, limit: int, now_ns: int) -> int:
        """See Repo.collect_garbage; of what nobody has committed not all is counted. now_ns: wall clock, for leases."""
        newest = self._oracle.snapshot()
        # F12: persisted before anything is deleted, by the same cell that a lease is taken in.
        state = self._gc.change(lambda state: self._raised(state, min(before, newest), now_ns))
        position, removed = self._walk(state, limit)
        # F8: the horizon is persisted before anything is swept.
        state = self._gc.change(lambda now: _moved(now, state, position))
        self._sweep.run(state.sweep_horizon, limit)
        return removed

    def _raised(self, state: GcState, wanted: int, now_ns: int) -> GcState:
        """The watermark moves to `wanted`, but not past a live lease, and never back."""
        leases = tuple(lease for lease in state.leases if lease.expiry_ns > now_ns)
        watermark = max(state.watermark, min([wanted, *(lease.timestamp for lease in leases)]))
        horizon = max(0, watermark - self._settled_ns) if state.position == _START else state.heal_horizon
        return replace(state, watermark=watermark, leases=leases, heal_horizon=horizon)

    def _walk(self, state: GcState, limit: int) -> tuple[tuple[str, str, bytes], int]:
        """Looks at about `limit` versions; returns where to go on, and how many were removed."""
        position, left, removed = state.position, limit, 0
        for table, group, layout in self._catalog.layouts():
            if (table, group) < position[:2]:
                continue
            row = position[2] if (table, group) == position[:2] else b""
            while True:
                asked = min(left, _ROWS_A_PAGE)
                columns = (layout.column, shadow_column(layout.column))
                page = self._cells.scan(layout.table, row + b"\0" if row else b"", None, columns, None, asked)
                row_after, looked, gone = self._page(table, layout, state, page, left)
                row, left, removed = row_after or row, left - looked, removed + gone
                if left <= 0:
                    return (table, group, row), removed
                if len(page) < asked:
                    break
        return _START, removed

    def _page(
        self, table: str, layout: Layout, state: GcState, page: Sequence[tuple[bytes, Row]], left: int
    ) -> tuple[bytes, int, int]:
        """Heals the rows, and deletes what is garbage in the first of them. Returns the last row that is done, how many
        versions were looked at, and how many removed."""
        chains = self._chains(layout, dict(page), state.watermark)
        longer, aborted = self._with_older(layout, chains), self._aborted(state, chains)
        deletions: dict[int, list[bytes]] = {}
        looked = removed = 0
        last = b""
        for last, _ in page:
            count = self._count_below(layout, last, chains[last]) if last in longer else 0
            upto, count = self._deletion(state, chains[last], last in aborted, count)
            if count:
                deletions.setdefault(upto, []).append(last)
            looked, removed = looked + 1 + count, removed + count
            if looked >= left:
                break
        columns = (layout.column, shadow_column(layout.column))
        for upto, rows in deletions.items():
            self._cells.delete(layout.table, upto, dict.fromkeys(rows, columns))
        covered = sorted(row for row in aborted if chains[row].kept is not None)[: self._covered_max]
        if covered and layout.keep is not Keep.INDEX:
            self._cover.run(table, covered)
        return last, looked, removed

    def _chains(self, layout: Layout, rows: Mapping[bytes, Row], watermark: int) -> dict[bytes, _Chain]:
        """Goes down each cell's versions to the one that stays, as the ladder does; and heals them all."""
        healing = Healing(self._cells, waiting_max=None)
        # Without a cache of before: whatever lacks its shadow cell must be looked up, to be healed.
        ladder = ReadLadder(self._cells, self._commit_table, CommitCache(), healing)
        table, column = layout.table, layout.column
        chains = {row: _Chain(None, [], False) for row in rows}
        while rows:
            versions = {row: found[column] for row, found in rows.items() if column in found}
            paired = {row: shadow_of(rows[row], column) for row in versions}
            unpaired: dict[int, list[bytes]] = {}
            for row, version in versions.items():
                if paired[row] is None:
                    unpaired.setdefault(version.timestamp, []).append(row)
            told = ladder.commit_timestamps(table, column, unpaired)
            older: dict[int, list[bytes]] = {}
            for row, (id, value) in versions.items():
                timestamp, chain = paired[row] or told.get(id), chains[row]
                if timestamp is not None and timestamp <= watermark:
                    chains[row] = chain._replace(kept=Committed(id, timestamp, value))
                    continue
                older.setdefault(id, []).append(row)
                if timestamp is None:
                    chain.uncommitted.append(id)
                else:
                    chains[row] = chain._replace(committed=True)
            rows = ladder.next_older(table, column, older)
        healing.flush()
        return chains

    def _with_older(self, layout: Layout, chains: Mapping[bytes, _Chain]) -> set[bytes]:
        """Those that have a version below the one that stays."""
        kept: dict[int, list[bytes]] = {}
        for row, chain in chains.items():
            if chain.kept is not None:
                kept.setdefault(chain.kept.id, []).append(row)
        calls = (self._cells.get(layout.table, rows, (layout.column,), before=id) for id, rows in kept.items())
        return {row for found in calls for row in found}

    def _count_below(self, layout: Layout, row: bytes, chain: _Chain) -> int:
        """By their shadow cells, which are small. Some may have none: they were aborted, or it was lost."""
        assert chain.kept is not None
        shadow = shadow_column(layout.column)
        return max(1, len(self._cells.versions(layout.table, row, shadow, chain.kept.id, _VERSIONS_MAX)))

    def _deletion(self, state: GcState, chain: _Chain, aborted: bool, below: int) -> tuple[int, int]:
        """Up to which version, and how many. below: how many there are below the one that stays."""
        if chain.kept is None:  # a row that was to be inserted
            return (chain.uncommitted[0], len(chain.uncommitted)) if aborted else (0, 0)
        if not chain.kept.value and chain.kept.commit_timestamp < state.watermark - self._settled_ns:
            return chain.kept.id, below + 1  # the tombstone has outlived every write that it was to hide
        return chain.kept.id - 1, below

    def _aborted(self, state: GcState, chains: Mapping[bytes, _Chain]) -> set[bytes]:
        """Rows whose newest versions are all of ids that never will be committed, and of which no write can land any
        more. Most often there are none, and nobody is asked."""
        settled = state.watermark - self._settled_ns
        old = {
            row: chain.uncommitted
            for row, chain in chains.items()
            if chain.uncommitted and not chain.committed and chain.uncommitted[0] < settled
        }
        ids = sorted({id for uncommitted in old.values() for id in uncommitted})
        if not ids:
            return set()
        # SWEPT: it has no commit-table row, and the walk has found no shadow cell (F8).
        dead = {id for id, found in zip(ids, self._oracle.settle(ids), strict=True) if found.fate in _NEVER}
        return {row for row, uncommitted in old.items() if dead.issuperset(uncommitted)}


def _moved(now: GcState, mine: GcState, position: tuple[str, str, bytes]) -> GcState:
    """Unless somebody else has walked the slice, too."""
    if (now.position, now.heal_horizon) != (mine.position, mine.heal_horizon):
        return now
    horizon = max(now.sweep_horizon, now.heal_horizon) if position == _START else now.sweep_horizon
    return replace(now, position=position, sweep_horizon=horizon)
