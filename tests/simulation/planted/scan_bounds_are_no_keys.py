"""Ranges for parallel scans are cut below a key. Off: at it; and it is in neither of them."""

import pytest


def plant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("repo.hbase.partitions._before", lambda key: key)
