"""A tombstone at or below the gc watermark is as nothing. Off: it is shown as long as it is there."""

import pytest

from repo.api import Version
from repo.hbase.ladder import Committed


def plant(patch: pytest.MonkeyPatch) -> None:
    def plain(committed: Committed, watermark: int) -> Version:
        return Version(committed.commit_timestamp, committed.value or None)

    patch.setattr("repo.hbase.snapshot._version", plain)
