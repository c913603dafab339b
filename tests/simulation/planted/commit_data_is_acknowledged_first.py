"""Data is acknowledged before the oracle is asked. Off: it is sent, and hoped for."""

import pytest

from proto.errors import UnavailableError
from repo.hbase.commit import BatchCommit
from repo.hbase.prepared import Rows


def plant(patch: pytest.MonkeyPatch) -> None:
    def once(self: BatchCommit, table: str, id: int, rows: Rows) -> None:
        try:
            self._cells.put(table, id, rows)
        except UnavailableError:
            pass

    patch.setattr(BatchCommit, "_put", once)
