"""Of ranges that are read together one may go on to the end of the table. Off: they end where the last stop is."""

from collections.abc import Sequence

import pytest

from repo.hbase.cells import Range, Row
from repo.hbase.scans import RangeScan


def plant(patch: pytest.MonkeyPatch) -> None:
    together = RangeScan._together

    def short(self: RangeScan, ranges: Sequence[Range]) -> tuple[list[tuple[bytes, Row]], bytes | None]:
        last = max((range.stop for range in ranges if range.stop is not None), default=None)
        return together(self, [range._replace(stop=range.stop or last) for range in ranges])

    patch.setattr(RangeScan, "_together", short)
