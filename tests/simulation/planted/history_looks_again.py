"""F12: a history leaves out what was collected since it read the versions. Off: what lay below is shown as if nothing
had been above it."""

import pytest

from repo.hbase import history
from repo.hbase.cells import Cells, Stored


class Once:
    """Answers the same question with the same versions."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._found: dict[tuple[bytes, int | None], list[Stored]] = {}

    def versions(self, table: str, row: bytes, column: bytes, before: int | None, limit: int) -> list[Stored]:
        if (column, before) not in self._found:
            self._found[column, before] = self._cells.versions(table, row, column, before, limit)
        return self._found[column, before]


def plant(patch: pytest.MonkeyPatch) -> None:
    real = history.history
    patch.setattr("repo.hbase.snapshot.history", lambda cells, *rest: real(Once(cells), *rest))
