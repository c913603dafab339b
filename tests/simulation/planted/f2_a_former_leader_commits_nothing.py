"""F2: an oracle whose chain was taken over commits nothing. Off: it goes on, as if it had not noticed."""

import pytest

from proto.errors import FencedError
from repo.hbase.state_cell import StateCell
from repo.oracle.storage import Batch


def plant(patch: pytest.MonkeyPatch) -> None:
    advance = StateCell.advance

    def deaf(self: StateCell, ceiling: int, batch: Batch) -> None:
        try:
            advance(self, ceiling, batch)
        except FencedError:
            pass

    patch.setattr(StateCell, "advance", deaf)
