"""Rows of the commit table are put until that is acknowledged. Off: once."""

from contextlib import suppress

import pytest

from proto.errors import UnavailableError
from repo.hbase.commit_table import CommitTable
from repo.oracle.storage import Batch


def plant(patch: pytest.MonkeyPatch) -> None:
    put = CommitTable.put

    def once(self: CommitTable, batch: Batch) -> None:
        with suppress(UnavailableError):
            put(self, batch)

    patch.setattr(CommitTable, "put", once)
