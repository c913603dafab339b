"""Of each range as many are listed as were asked for. Off: all that came with a page of its neighbours."""

from collections.abc import Iterable

import pytest

from repo.hbase.cells import Range
from repo.hbase.scans import Found, RangeScan


def plant(patch: pytest.MonkeyPatch) -> None:
    many = RangeScan.many
    patch.setattr(RangeScan, "many", lambda self, ranges, limit: _unlimited(many, self, ranges))


def _unlimited(many, self: RangeScan, ranges: Iterable[Range]) -> dict[Range, Found]:  # type: ignore[no-untyped-def]
    found: dict[Range, Found] = many(self, ranges, 1_000)
    return found
