"""What fell out of the conflict map raises its watermark. Off: it does not, and old snapshots are judged by nothing."""

import pytest

from repo.oracle.conflict_map import ConflictMap


def plant(patch: pytest.MonkeyPatch) -> None:
    rotate = ConflictMap._rotate

    def unnoticed(self: ConflictMap) -> None:
        watermark = self.watermark
        rotate(self)
        self.watermark = watermark

    patch.setattr(ConflictMap, "_rotate", unnoticed)
