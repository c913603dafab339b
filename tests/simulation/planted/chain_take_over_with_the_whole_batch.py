"""Chain: the last batch is put as a whole at a take-over. Off: only its last commit."""

import pytest

from repo.hbase.state_cell import StateCell
from repo.oracle.storage import Taken


def plant(patch: pytest.MonkeyPatch) -> None:
    take_over = StateCell.take_over

    def hasty(self: StateCell, *arguments: int) -> Taken:
        taken = take_over(self, *arguments)
        return taken._replace(batch=taken.batch[-1:])

    patch.setattr(StateCell, "take_over", hasty)
