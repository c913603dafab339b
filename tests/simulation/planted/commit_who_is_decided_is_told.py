"""Members that are decided learn it, whatever befalls those that are tried again. Off: an error is told to all."""

from collections.abc import Sequence

import pytest

from repo.hbase.commit import BatchCommit
from repo.hbase.prepared import Prepared


def plant(patch: pytest.MonkeyPatch) -> None:
    def careless(self: BatchCommit, members: Sequence[Sequence[Prepared]]) -> list[list[Prepared]]:
        groups = self._written(members)
        decided = zip(groups, self._decisions(groups), strict=True)
        return [again for group, decision in decided for again in self._concluded(group, decision)]

    patch.setattr(BatchCommit, "_round", careless)
