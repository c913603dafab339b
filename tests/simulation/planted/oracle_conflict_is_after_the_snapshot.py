"""A conflict is a commit after the snapshot. Off: the first possible one after it is none."""

from collections.abc import Sequence

import pytest

from repo.oracle.conflict_map import Conflict, ConflictMap
from repo.oracle.port import TIMESTAMP_STEP


def plant(patch: pytest.MonkeyPatch) -> None:
    conflict = ConflictMap.conflict

    def lenient(self: ConflictMap, snapshot: int, cells: Sequence[int]) -> Conflict | None:
        return conflict(self, snapshot + TIMESTAMP_STEP, cells)

    patch.setattr(ConflictMap, "conflict", lenient)
