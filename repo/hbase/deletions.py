"""What of a page of cells is garbage, and goes.

Of each cell the newest version committed at or below the watermark stays, and what lies below it goes: Thrift1 deletes
"all versions <= t" only, so it is asked for t = that version - 1, of the data and the shadow column. What is put there
later at or below t stays invisible; nobody does, for a transaction with so old an id would have conflicted.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from repo.api import Keep
from repo.hbase.catalog import Layout
from repo.hbase.cells import Cells, Row
from repo.hbase.chains import Chain, chains
from repo.hbase.commit_table import CommitTableReader
from repo.hbase.cover import Cover
from repo.hbase.shadow_cells import shadow_column
from repo.oracle.port import Fate, TimestampOracle

_VERSIONS_MAX = 10_000
_NEVER = (Fate.ABORTED, Fate.SWEPT)


class Done(NamedTuple):
    """last: the last row that is done, b"" for none; looked: at how many versions; removed: how many of them."""

    last: bytes
    looked: int
    removed: int


class Deletions:
    """covered_max: rows of a page whose aborted cells are covered (cover.py)."""

    def __init__(
        self, cells: Cells, oracle: TimestampOracle, commit_table: CommitTableReader, cover: Cover, covered_max: int
    ) -> None:
        self._cells, self._oracle, self._commit_table = cells, oracle, commit_table
        self._cover, self._covered_max = cover, covered_max

    def run(
        self,
        table: str,
        layout: Layout,
        page: Sequence[tuple[bytes, Row]],
        watermark: int,
        settled: int,
        limit: int,
    ) -> Done:
        """Heals all rows of the page, and deletes what is garbage in the first of them, until it has looked at `limit`
        versions. settled: below it nothing lands any more, and all is decided."""
        found = chains(self._cells, self._commit_table, layout, dict(page), watermark)
        longer, aborted = self._with_older(layout, found), self._aborted(settled, found)
        deletions: dict[int, list[bytes]] = {}
        looked = removed = 0
        last = b""
        for last, _ in page:
            count = self._count_below(layout, last, found[last]) if last in longer else 0
            upto, count = self._deletion(settled, found[last], last in aborted, count)
            if count:
                deletions.setdefault(upto, []).append(last)
            looked, removed = looked + 1 + count, removed + count
            if looked >= limit:
                break
        columns = (layout.column, shadow_column(layout.column))
        for upto, rows in deletions.items():
            self._cells.delete(layout.table, upto, dict.fromkeys(rows, columns))
        covered = sorted(row for row in aborted if found[row].kept is not None)[: self._covered_max]
        if covered and layout.keep is not Keep.INDEX:
            self._cover.run(table, covered)
        return Done(last, looked, removed)

    def _with_older(self, layout: Layout, found: Mapping[bytes, Chain]) -> set[bytes]:
        """Those that have a version below the one that stays."""
        kept: dict[int, list[bytes]] = {}
        for row, chain in found.items():
            if chain.kept is not None:
                kept.setdefault(chain.kept.id, []).append(row)
        calls = (self._cells.get(layout.table, rows, (layout.column,), before=id) for id, rows in kept.items())
        return {row for older in calls for row in older}

    def _count_below(self, layout: Layout, row: bytes, chain: Chain) -> int:
        """By their shadow cells, which are small. Some may have none: they were aborted, or it was lost."""
        assert chain.kept is not None
        shadow = shadow_column(layout.column)
        return max(1, len(self._cells.versions(layout.table, row, shadow, chain.kept.id, _VERSIONS_MAX)))

    def _deletion(self, settled: int, chain: Chain, aborted: bool, below: int) -> tuple[int, int]:
        """Up to which version, and how many. below: how many there are below the one that stays."""
        if chain.kept is None:  # a row that was to be inserted
            return (chain.uncommitted[0], len(chain.uncommitted)) if aborted else (0, 0)
        if not chain.kept.value and chain.kept.commit_timestamp < settled:
            return chain.kept.id, below + 1  # the tombstone has outlived every write that it was to hide
        return chain.kept.id - 1, below

    def _aborted(self, settled: int, found: Mapping[bytes, Chain]) -> set[bytes]:
        """Rows whose newest versions are all of ids that never will be committed, and of which no write can land any
        more. Most often there are none, and nobody is asked."""
        old = {
            row: chain.uncommitted
            for row, chain in found.items()
            if chain.uncommitted and not chain.committed and chain.uncommitted[0] < settled
        }
        ids = sorted({id for uncommitted in old.values() for id in uncommitted})
        if not ids:
            return set()
        # SWEPT: it has no commit-table row, and the walk has found no shadow cell (F8).
        dead = {id for id, found in zip(ids, self._oracle.settle(ids), strict=True) if found.fate in _NEVER}
        return {row for row, uncommitted in old.items() if dead.issuperset(uncommitted)}
