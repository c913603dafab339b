"""F12: the watermark is persisted before anything is deleted. Off: afterwards."""

import pytest

from repo.hbase.garbage import GarbageCollector


def plant(patch: pytest.MonkeyPatch) -> None:
    def hasty(self: GarbageCollector, before: int, limit: int, now_ns: int) -> int:
        (begun,) = self._oracle.begin()
        wanted = min(before, begun.snapshot)
        state = self._raised(self._gc.read(), wanted, now_ns)
        walked = self._walk.run(state.position, state.watermark, self._settled(state), limit)
        self._gc.change(lambda state: self._raised(state, wanted, now_ns))
        return walked.removed

    patch.setattr(GarbageCollector, "collect", hasty)
