"""F12: the gc watermark never goes back. Off: it is where the last one to collect wants it."""

import pytest
from msgspec.structs import replace

from repo.hbase.garbage import GarbageCollector
from repo.hbase.gc_state import GcState


def plant(patch: pytest.MonkeyPatch) -> None:
    raised = GarbageCollector._raised

    def obedient(self: GarbageCollector, state: GcState, wanted: int, now_ns: int) -> GcState:
        return raised(self, replace(state, watermark=0), wanted, now_ns)

    patch.setattr(GarbageCollector, "_raised", obedient)
