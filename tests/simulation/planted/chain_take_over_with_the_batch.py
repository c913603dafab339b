"""Chain: who takes over puts the last batch's rows. Off: it leaves them to its predecessor, which may be dead."""

import pytest

from repo.hbase.state_cell import StateCell
from repo.oracle.storage import Taken


def plant(patch: pytest.MonkeyPatch) -> None:
    take_over = StateCell.take_over

    def careless(self: StateCell, *arguments: int) -> Taken:
        taken = take_over(self, *arguments)
        return taken._replace(batch=())

    patch.setattr(StateCell, "take_over", careless)
