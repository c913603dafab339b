"""A tombstone stays until no write that it hides can land any more. Off: it goes as soon as nobody can see below it."""

import pytest

from repo.hbase.garbage import GarbageCollector, _Chain
from repo.hbase.gc_state import GcState


def plant(patch: pytest.MonkeyPatch) -> None:
    deletion = GarbageCollector._deletion

    def hasty(self: GarbageCollector, state: GcState, chain: _Chain, aborted: bool, below: int) -> tuple[int, int]:
        if chain.kept is not None and not chain.kept.value:
            return chain.kept.id, below + 1
        return deletion(self, state, chain, aborted, below)

    patch.setattr(GarbageCollector, "_deletion", hasty)
