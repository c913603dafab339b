"""Dead cells are deleted when nothing older can land any more. Off: as soon as the watermark is above them."""

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from repo.hbase.garbage import GarbageCollector, _Chain
from repo.hbase.gc_state import GcState


def plant(patch: pytest.MonkeyPatch) -> None:
    aborted = GarbageCollector._aborted

    def hasty(self: GarbageCollector, state: GcState, chains: Mapping[bytes, _Chain]) -> set[bytes]:
        return aborted(self, replace(state, watermark=state.watermark + self._settled_ns), chains)

    patch.setattr(GarbageCollector, "_aborted", hasty)
