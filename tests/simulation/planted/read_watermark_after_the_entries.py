"""F12: whether a snapshot is too old is asked after the last read. Off: before the entries of an index are read."""

from collections.abc import Sequence

import pytest

from repo.hbase.catalog import Layout
from repo.hbase.snapshot import HbaseSnapshot


class Unchecked(HbaseSnapshot):
    def _check(self, layout: Layout) -> int:
        return 0


def plant(patch: pytest.MonkeyPatch) -> None:
    def hasty(
        self: HbaseSnapshot, table: str, prefixes: Sequence[bytes], limit_each: int, after: bytes = b""
    ) -> list[list[tuple[bytes, bytes]]]:
        self._check(self._catalog.layout(table, ""))
        unchecked = Unchecked(self._cells, self._ladder, self._catalog, self._gc, self._timestamp, self._newest)
        return scan_prefixes(unchecked, table, prefixes, limit_each, after)

    scan_prefixes = HbaseSnapshot.scan_prefixes
    patch.setattr(HbaseSnapshot, "scan_prefixes", hasty)
