"""An aborted cell that stays on top of a cold row costs each reader a look into the commit table and a step down.

Thrift1 can't delete it without what lies below. So what is committed is written once more, in a small transaction like
any other: whoever writes the row meanwhile wins, and has covered it.
"""

from collections.abc import Sequence

from repo.api import Transaction
from repo.hbase.catalog import Catalog
from repo.hbase.cells import Cells
from repo.hbase.commit import BatchCommit
from repo.hbase.commit_cache import CommitCache
from repo.hbase.ladder import ReadLadder
from repo.hbase.prepared import Prepared
from repo.hbase.spare_ids import SpareIds
from repo.oracle.port import TimestampOracle


class Cover:
    """All groups of a row are written or checked, and so are in the conflict set: a group may be written by others as a
    companion of another one, without a check of its own; which may be deleted, and be written again meanwhile."""

    def __init__(
        self,
        cells: Cells,
        oracle: TimestampOracle,
        ids: SpareIds,
        catalog: Catalog,
        ladder: ReadLadder,
        cache: CommitCache,
    ) -> None:
        self._cells, self._oracle, self._ids, self._cache = cells, oracle, ids, cache
        self._catalog, self._ladder = catalog, ladder

    def run(self, table: str, rows: Sequence[bytes]) -> None:
        """Rows of a table that is no index."""
        snapshot = self._ids.snapshot()
        transactions = {row: Transaction(snapshot) for row in rows}
        for group in self._catalog.groups(table):
            layout = self._catalog.layout(table, group)
            seen = self._ladder.read(layout.table, layout.column, rows, snapshot)
            for row, transaction in transactions.items():
                committed = seen.visible.get(row)
                if committed is not None and committed.value:
                    transaction.write(table, row, group, committed.value)
                else:  # a tombstone goes by itself, and what lies on it
                    transaction.check(table, row, group)
        members = [Prepared(self._catalog, transaction) for transaction in transactions.values() if transaction.writes]
        if members:
            BatchCommit(self._cells, self._oracle, self._ids, self._cache).run(members)
