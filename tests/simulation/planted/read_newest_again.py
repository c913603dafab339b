"""What is read as of now is read again, when garbage was collected meanwhile. Off: once."""

from collections.abc import Sequence

import pytest

from repo.hbase.catalog import Layout
from repo.hbase.ladder import Committed, Seen
from repo.hbase.snapshot import HbaseSnapshot


def plant(patch: pytest.MonkeyPatch) -> None:
    def hasty(self: HbaseSnapshot, layout: Layout, keys: Sequence[bytes], seen: Seen) -> dict[bytes, Committed]:
        return seen.visible

    patch.setattr(HbaseSnapshot, "_settled", hasty)
