"""The mark of a table with groups that are read as of now changes with each commit. Off: with the snapshot only."""

from collections.abc import Sequence

import pytest

from repo.hbase.snapshot import HbaseSnapshot


def plant(patch: pytest.MonkeyPatch) -> None:
    def hasty(self: HbaseSnapshot, tables: Sequence[str]) -> list[bytes]:
        return [b"%d" % self.timestamp] * len(tables)

    patch.setattr(HbaseSnapshot, "change_marks", hasty)
