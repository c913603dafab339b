"""A history goes on where a full page has ended. Off: it ends there."""

import pytest

from repo.hbase import history
from repo.hbase.cells import Cells, Stored


def plant(patch: pytest.MonkeyPatch) -> None:
    real = history.history

    class FirstPage:
        """Answers for the newest versions only."""

        def __init__(self, cells: Cells, before: int | None) -> None:
            self._cells, self._before = cells, before

        def versions(self, table: str, row: bytes, column: bytes, before: int | None, limit: int) -> list[Stored]:
            return self._cells.versions(table, row, column, before, limit) if before == self._before else []

    def short(cells, ladder, layout, key, snapshot, limit):  # type: ignore[no-untyped-def]
        return real(FirstPage(cells, history.bound(snapshot)), ladder, layout, key, snapshot, limit)

    patch.setattr("repo.hbase.snapshot.history", short)
