"""A shadow cell belongs to the version that has its timestamp. Off: to the newest one of its column."""

import pytest

from repo.hbase.cells import Row
from repo.hbase.shadow_cells import decode_shadow, shadow_column


def plant(patch: pytest.MonkeyPatch) -> None:
    def nearest(row: Row, column: bytes) -> int | None:
        shadow = row.get(shadow_column(column))
        return decode_shadow(shadow.value) if shadow is not None else None

    patch.setattr("repo.hbase.ladder.shadow_of", nearest)
