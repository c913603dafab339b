"""An id is of one transaction. Off: one that came with a snapshot is used for all that is committed there."""

import pytest

from repo.hbase.spare_ids import SpareIds


def plant(patch: pytest.MonkeyPatch) -> None:
    def kept(self: SpareIds, snapshot: int) -> int | None:
        return next((id for id in self._spare if id > snapshot), None)

    patch.setattr(SpareIds, "_spare_above", kept)
