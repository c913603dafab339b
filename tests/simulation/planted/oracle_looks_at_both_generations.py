"""The conflict map has two generations. Off: only the current one is looked at."""

from collections.abc import Sequence

import pytest

from repo.oracle.conflict_map import Conflict, ConflictMap, _Generation


def plant(patch: pytest.MonkeyPatch) -> None:
    conflict = ConflictMap.conflict

    def forgetful(self: ConflictMap, snapshot: int, cells: Sequence[int]) -> Conflict | None:
        previous, self._previous = self._previous, _Generation(8, self.watermark)
        try:
            return conflict(self, snapshot, cells)
        finally:
            self._previous = previous

    patch.setattr(ConflictMap, "conflict", forgetful)
