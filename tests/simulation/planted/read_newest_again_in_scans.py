"""What is scanned as of now is read again, as single reads are, when garbage was collected meanwhile. Off: once."""

import pytest

from repo.hbase.cells import Row
from repo.hbase.ladder import Committed, bound
from repo.hbase.scans import RangeScan
from repo.hbase.snapshot import HbaseSnapshot


def plant(patch: pytest.MonkeyPatch) -> None:
    def hasty(self, layout):  # type: ignore[no-untyped-def]
        snapshot = self._sees(layout)

        def visible(rows: dict[bytes, Row]) -> dict[bytes, Committed]:
            found: dict[bytes, Committed] = self._ladder.climb(layout.table, layout.column, rows, snapshot).visible
            return found

        return RangeScan(self._cells, layout, bound(snapshot), visible)

    patch.setattr(HbaseSnapshot, "_scan", hasty)
