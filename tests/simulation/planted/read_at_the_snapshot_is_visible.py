"""Visible is what was committed at or below the snapshot. Off: below it."""

import pytest

from repo.hbase.ladder import ReadLadder


def plant(patch: pytest.MonkeyPatch) -> None:
    pass_over = ReadLadder._pass_over

    def strict(self, table, column, rows, snapshot, seen):  # type: ignore[no-untyped-def]
        return pass_over(self, table, column, rows, snapshot - 1, seen)

    patch.setattr(ReadLadder, "_pass_over", strict)
