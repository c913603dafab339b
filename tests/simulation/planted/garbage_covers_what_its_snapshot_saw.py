"""What is committed again is what the transaction's snapshot sees. Off: the snapshot is taken when it was read."""

from collections.abc import Sequence

import pytest

from repo.api import Outcome
from repo.hbase.commit import BatchCommit
from repo.hbase.prepared import Prepared


def plant(patch: pytest.MonkeyPatch) -> None:
    class LateCommit(BatchCommit):
        def run(self, members: Sequence[Prepared]) -> list[Outcome]:
            snapshot = self._ids.snapshot()
            for member in members:
                member.transaction.snapshot_timestamp = snapshot
            return super().run(members)

    patch.setattr("repo.hbase.cover.BatchCommit", LateCommit)
