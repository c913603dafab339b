"""Omid's mark of a deleted family hides what is below it. Off: it does not."""

from collections.abc import Mapping

import pytest

from repo.hbase.cells import Row
from repo.hbase.ladder import ReadLadder, Seen
from repo.hbase.names import DELETED


def plant(patch: pytest.MonkeyPatch) -> None:
    climb = ReadLadder.climb

    def blind(self: ReadLadder, table: str, column: bytes, rows: Mapping[bytes, Row], snapshot: int) -> Seen:
        plain = {key: {name: cell for name, cell in row.items() if name != DELETED} for key, row in rows.items()}
        return climb(self, table, column, plain, snapshot)

    patch.setattr(ReadLadder, "climb", blind)
