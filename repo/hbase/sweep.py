"""The sweep of the commit table: rows of ids below the sweep horizon go.

Every version that such an id wrote and that is left has its shadow cell by then, and the horizon is persisted: who
finds no row looks at the horizon, and then at the shadow cell (F7, F8).
"""

from repo.hbase.commit_table import BUCKETS, CommitTable


class Sweep:
    """Goes on where it stopped: what it has removed it does not meet again."""

    def __init__(self, commit_table: CommitTable) -> None:
        self._commit_table = commit_table
        self._done = 0

    def run(self, horizon: int, limit: int) -> None:
        """Removes at most `limit` rows."""
        if horizon <= self._done:
            return
        for bucket in range(BUCKETS):
            ids = [id for id, _ in self._commit_table.scan(bucket, 0, horizon, limit)]
            self._commit_table.remove(ids)
            limit -= len(ids)
            if limit <= 0:
                return
        self._done = horizon
