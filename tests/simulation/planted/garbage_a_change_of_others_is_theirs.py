"""A compare-and-set that was not answered is looked for in the cell. Off: whatever has changed there is it."""

import pytest

from repo.hbase.gc_state import GcStateCell


def plant(patch: pytest.MonkeyPatch) -> None:
    replaced = GcStateCell._replaced

    def believing(self: GcStateCell, old: bytes | None, new: bytes) -> bool:
        return replaced(self, old, new) or True

    patch.setattr(GcStateCell, "_replaced", believing)
