"""The sweep goes as far as the walk's beginning. Off: as far as its last slice, whose first rows it does not know."""

import pytest
from msgspec.structs import replace

from repo.hbase.garbage import GarbageCollector
from repo.hbase.gc_state import GcState


def plant(patch: pytest.MonkeyPatch) -> None:
    raised = GarbageCollector._raised

    def eager(self: GarbageCollector, state: GcState, wanted: int, now_ns: int) -> GcState:
        new = raised(self, state, wanted, now_ns)
        return replace(new, heal_horizon=max(0, new.watermark - self._settled_ns))

    patch.setattr(GarbageCollector, "_raised", eager)
