"""F5: a commit is never sent twice. Off: an answer that was lost is asked for again."""

from collections.abc import Sequence

import pytest

from repo.api import OutcomeKind
from repo.hbase.commit import BatchCommit, Group
from repo.oracle.port import Decision


def plant(patch: pytest.MonkeyPatch) -> None:
    def insistent(self: BatchCommit, groups: Sequence[Group]) -> list[Decision]:
        requests = [group.request() for group in groups]
        decisions = self._oracle.commit(requests)
        if decisions[0].kind is OutcomeKind.UNKNOWN:
            decisions = self._oracle.commit(requests)
        return decisions

    patch.setattr(BatchCommit, "_decisions", insistent)
