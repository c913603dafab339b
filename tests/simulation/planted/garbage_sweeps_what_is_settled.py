"""The sweep ends where something may still be committed. Off: it goes up to the watermark."""

import pytest
from msgspec.structs import replace

from repo.hbase.garbage import GarbageCollector
from repo.hbase.gc_state import GcState
from repo.hbase.walk import START


def plant(patch: pytest.MonkeyPatch) -> None:
    raised = GarbageCollector._raised

    def hasty(self: GarbageCollector, state: GcState, wanted: int, now_ns: int) -> GcState:
        new = raised(self, state, wanted, now_ns)
        return replace(new, heal_horizon=new.watermark) if state.position == START else new

    patch.setattr(GarbageCollector, "_raised", hasty)
