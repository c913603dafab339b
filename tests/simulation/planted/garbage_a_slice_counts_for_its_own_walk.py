"""A slice counts for the walk that it is of. Off: for any that is at the same place; one that was begun meanwhile has
the higher horizon, and what was committed below that the slice has not seen."""

import pytest
from msgspec.structs import replace

from repo.hbase import garbage
from repo.hbase.gc_state import GcState


def plant(patch: pytest.MonkeyPatch) -> None:
    moved = garbage._moved

    def hasty(now: GcState, mine: GcState, position: tuple[str, str, bytes]) -> GcState:
        return moved(now, replace(mine, heal_horizon=now.heal_horizon), position)

    patch.setattr(garbage, "_moved", hasty)
