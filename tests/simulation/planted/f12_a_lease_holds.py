"""F12: leases are in the cell that the watermark is moved in. Off: whoever moves it does not look at them."""

import pytest
from msgspec.structs import replace

from repo.hbase.garbage import GarbageCollector
from repo.hbase.gc_state import GcState


def plant(patch: pytest.MonkeyPatch) -> None:
    raised = GarbageCollector._raised

    def ruthless(self: GarbageCollector, state: GcState, wanted: int, now_ns: int) -> GcState:
        return replace(raised(self, replace(state, leases=()), wanted, now_ns), leases=state.leases)

    patch.setattr(GarbageCollector, "_raised", ruthless)
