"""A tombstone goes when nothing that it hides can land any more. Off: as soon as the watermark has reached it."""

import pytest
from msgspec.structs import replace

from repo.hbase.garbage import GarbageCollector, _Chain
from repo.hbase.gc_state import GcState


def plant(patch: pytest.MonkeyPatch) -> None:
    deletion = GarbageCollector._deletion

    def hasty(self: GarbageCollector, state: GcState, chain: _Chain, aborted: bool, below: int) -> tuple[int, int]:
        later = replace(state, watermark=state.watermark + self._settled_ns + 1)
        return deletion(self, later, chain, aborted, below)

    patch.setattr(GarbageCollector, "_deletion", hasty)
