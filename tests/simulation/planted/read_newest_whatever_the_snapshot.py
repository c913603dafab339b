"""Groups that keep the newest version are read as of now. Off: as of the snapshot."""

import pytest

from repo.hbase.snapshot import HbaseSnapshot


def plant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(HbaseSnapshot, "_sees", lambda self, layout: self.timestamp)
