"""Who lists an index looks at the gc watermark afterwards. Off: only who reads rows does."""

import pytest

from repo.api import Keep
from repo.hbase.catalog import Layout
from repo.hbase.snapshot import HbaseSnapshot


def plant(patch: pytest.MonkeyPatch) -> None:
    check = HbaseSnapshot._check

    def lenient(self: HbaseSnapshot, layout: Layout) -> int:
        return self._gc.read().watermark if layout.keep is Keep.INDEX else check(self, layout)

    patch.setattr(HbaseSnapshot, "_check", lenient)
