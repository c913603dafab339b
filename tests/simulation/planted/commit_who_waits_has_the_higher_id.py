"""A member that waits for an earlier one gets an id above that one's: for entries and companions the highest id counts.
Off: one that came with a snapshot, and may be lower."""

from collections.abc import Sequence

import pytest

from repo.hbase.spare_ids import SpareIds


def plant(patch: pytest.MonkeyPatch) -> None:
    take = SpareIds.take

    def careless(self: SpareIds, snapshots: Sequence[int], above: int = 0) -> list[int]:
        return take(self, snapshots)

    patch.setattr(SpareIds, "take", careless)
