"""A scan goes on where a full page has ended. Off: what did not fit into the page is not there."""

import pytest

from repo.hbase.scans import RangeScan


def plant(patch: pytest.MonkeyPatch) -> None:
    together = RangeScan._together

    def short(self, ranges):  # type: ignore[no-untyped-def]
        page, _ = together(self, ranges)
        return page, None

    patch.setattr(RangeScan, "_together", short)
