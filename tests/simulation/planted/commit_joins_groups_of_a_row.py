"""Two members may write two groups of one row under one id. Off: the second one takes the place of the first."""

import pytest

from repo.hbase.commit import Group


def plant(patch: pytest.MonkeyPatch) -> None:
    def replacing(self: Group, table: str, row: bytes, columns: dict[bytes, bytes]) -> None:
        self.tables.setdefault(table, {})[row] = columns

    patch.setattr(Group, "_add", replacing)
