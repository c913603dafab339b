"""F12: the watermark is persisted before anything is deleted. Off: afterwards."""

import pytest

from repo.hbase.garbage import GarbageCollector


def plant(patch: pytest.MonkeyPatch) -> None:
    def hasty(self: GarbageCollector, before: int, limit: int, now_ns: int) -> int:
        (begun,) = self._oracle.begin()
        wanted = min(before, begun.snapshot)
        _, removed = self._walk(self._raised(self._gc.read(), wanted, now_ns), limit)
        self._gc.change(lambda state: self._raised(state, wanted, now_ns))
        return removed

    patch.setattr(GarbageCollector, "collect", hasty)
