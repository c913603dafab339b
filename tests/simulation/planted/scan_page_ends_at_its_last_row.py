"""A page of neighbouring ranges ends at its last row. Off: above all that begin with that row's key."""

from collections.abc import Sequence

import pytest

from repo.hbase.cells import Range, Row
from repo.hbase.scans import RangeScan


def plant(patch: pytest.MonkeyPatch) -> None:
    together = RangeScan._together

    def far(self: RangeScan, ranges: Sequence[Range]) -> tuple[list[tuple[bytes, Row]], bytes | None]:
        page, end = together(self, ranges)
        return page, None if end is None else end[:-1] + b"\xff"

    patch.setattr(RangeScan, "_together", far)
