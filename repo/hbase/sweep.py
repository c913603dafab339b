"""The sweep of the commit table: rows of ids below the sweep horizon go.

Every version that such an id wrote and that is left has its shadow cell by then, and the horizon is persisted: who
finds no row looks at the horizon, and then at the shadow cell (F7, F8).
"""

from repo.hbase.commit_table import BUCKETS, CommitTable


class Sweep:
    """Goes on where it stopped. What it has removed it does not meet again, but HBase would: until a major compaction a
    scan steps over every row that was there."""

    def __init__(self, commit_table: CommitTable) -> None:
        self._commit_table = commit_table
        self._done = [0] * BUCKETS  # of each bucket, up to which id, and that one too

    def run(self, horizon: int, limit: int) -> None:
        """Removes at most `limit` rows."""
        for bucket, done in enumerate(self._done):
            if limit <= 0:
                return
            if done >= horizon - 1:
                continue
            ids = [id for id, _ in self._commit_table.scan(bucket, done, horizon, limit)]
            self._commit_table.remove(ids)
            self._done[bucket] = ids[-1] if len(ids) == limit else horizon - 1
            limit -= len(ids)
