"""Of a swept id the shadow cell of that very version decides. Off: the newest one up to it."""

import pytest

from repo.hbase.outcomes import Settlement


def plant(patch: pytest.MonkeyPatch) -> None:
    def nearest(self: Settlement, table: str, row: bytes, column: bytes, id: int) -> bytes | None:
        found = self._cells.versions(table, row, column, before=id + 1, limit=1)
        return found[0].value if found else None

    patch.setattr(Settlement, "_version", nearest)
