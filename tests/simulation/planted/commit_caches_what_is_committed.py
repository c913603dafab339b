"""The cache holds what is committed. Off: what is not known, too."""

import pytest

from repo.api import OutcomeKind
from repo.hbase.commit import BatchCommit, Group
from repo.hbase.prepared import Prepared
from repo.oracle.port import Decision


def plant(patch: pytest.MonkeyPatch) -> None:
    concluded = BatchCommit._concluded

    def hasty(self: BatchCommit, group: Group, decision: Decision) -> list[list[Prepared]]:
        if decision.kind is not OutcomeKind.CONFLICT:
            self._cache.add(group.id, decision.timestamp or group.id)
        return concluded(self, group, decision)

    patch.setattr(BatchCommit, "_concluded", hasty)
