"""The sweep ends where something may still be committed. Off: it goes up to the watermark."""

import pytest
from msgspec.structs import replace

from repo.hbase.garbage import _START, GarbageCollector
from repo.hbase.gc_state import GcState


def plant(patch: pytest.MonkeyPatch) -> None:
    raised = GarbageCollector._raised

    def hasty(self: GarbageCollector, state: GcState, wanted: int, now_ns: int) -> GcState:
        new = raised(self, state, wanted, now_ns)
        return replace(new, heal_horizon=new.watermark) if state.position == _START else new

    patch.setattr(GarbageCollector, "_raised", hasty)
