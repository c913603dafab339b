"""An id above all that an oracle has given out is another one's. Off: a former leader calls it aborted."""

import pytest

from repo.oracle.port import Fate, Resolution
from repo.oracle.state_machine import OracleStateMachine


def plant(patch: pytest.MonkeyPatch) -> None:
    settle = OracleStateMachine.settle

    def sure(self: OracleStateMachine, id: int) -> Resolution | None:
        found = settle(self, id)
        return Resolution(Fate.ABORTED) if found is not None and found.fate is Fate.NOT_MINE else found

    patch.setattr(OracleStateMachine, "settle", sure)
