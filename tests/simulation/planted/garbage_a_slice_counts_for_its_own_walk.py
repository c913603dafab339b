"""A slice counts for the walk that it is of. Off: for any that is at the same place; one that was begun meanwhile has
the higher horizon, and what was committed below that the slice has not seen."""

import pytest
from msgspec.structs import replace

from repo.hbase import garbage
from repo.hbase.gc_state import GcState
from repo.hbase.walk import Walked


def plant(patch: pytest.MonkeyPatch) -> None:
    moved = garbage._moved

    def hasty(now: GcState, mine: GcState, walked: Walked) -> GcState:
        return moved(now, replace(mine, heal_horizon=now.heal_horizon), walked)

    patch.setattr(garbage, "_moved", hasty)
