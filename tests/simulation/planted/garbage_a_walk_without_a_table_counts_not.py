"""A walk that has left out a table does not move the sweep horizon. Off: it does, and what nobody has healed there is
lost."""

import pytest

from repo.hbase import garbage
from repo.hbase.gc_state import GcState
from repo.hbase.walk import Walked


def plant(patch: pytest.MonkeyPatch) -> None:
    moved = garbage._moved

    def hasty(now: GcState, mine: GcState, walked: Walked) -> GcState:
        return moved(now, mine, walked._replace(passed_over=False))

    patch.setattr(garbage, "_moved", hasty)
