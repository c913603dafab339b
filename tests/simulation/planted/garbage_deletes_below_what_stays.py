"""Deleted is what lies below the version that stays. Off: that one, too."""

import pytest

from repo.hbase.garbage import GarbageCollector


def plant(patch: pytest.MonkeyPatch) -> None:
    deletion = GarbageCollector._deletion

    def one_more(self, state, chain, below):  # type: ignore[no-untyped-def]
        upto, count = deletion(self, state, chain, below)
        return upto + 1, count

    patch.setattr(GarbageCollector, "_deletion", one_more)
