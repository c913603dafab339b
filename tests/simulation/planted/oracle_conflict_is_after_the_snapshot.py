"""A conflict is a commit after the snapshot. Off: one at the snapshot is none, and neither is one right after it."""

from collections.abc import Sequence

import pytest

from repo.oracle.conflict_map import Conflict, ConflictMap


def plant(patch: pytest.MonkeyPatch) -> None:
    conflict = ConflictMap.conflict

    def lenient(self: ConflictMap, snapshot: int, cells: Sequence[int]) -> Conflict | None:
        return conflict(self, snapshot + 1, cells)

    patch.setattr(ConflictMap, "conflict", lenient)
