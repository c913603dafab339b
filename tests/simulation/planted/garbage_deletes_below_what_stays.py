"""Deleted is what lies below the version that stays. Off: that one, too."""

from typing import Any

import pytest

from repo.hbase.garbage import GarbageCollector


def plant(patch: pytest.MonkeyPatch) -> None:
    deletion = GarbageCollector._deletion

    def one_more(self: GarbageCollector, *arguments: Any) -> tuple[int, int]:
        upto, count = deletion(self, *arguments)
        return upto + 1, count

    patch.setattr(GarbageCollector, "_deletion", one_more)
