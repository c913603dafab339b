"""Shadow cells are written after the oracle's answer. Off: before it, with the timestamp that is hoped for."""

from collections.abc import Sequence

import pytest

from repo.hbase.commit import BatchCommit, Group
from repo.hbase.prepared import Prepared


def plant(patch: pytest.MonkeyPatch) -> None:
    written = BatchCommit._written

    def hopeful(self: BatchCommit, members: Sequence[Sequence[Prepared]]) -> list[Group]:
        groups = written(self, members)
        for group in groups:
            for table, rows in group.shadows(group.id + 1):
                self._put(table, group.id, rows)
        return groups

    patch.setattr(BatchCommit, "_written", hopeful)
