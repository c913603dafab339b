"""Who asks what became of an id that is not decided is told so. Off: it has no commit-table row, so it is aborted."""

import pytest

from repo.oracle.port import Resolution
from repo.oracle.state_machine import OracleStateMachine


def plant(patch: pytest.MonkeyPatch) -> None:
    resolve = OracleStateMachine.resolve

    def hasty(self: OracleStateMachine, id: int) -> Resolution | None:
        return None if id in self._open else resolve(self, id)

    patch.setattr(OracleStateMachine, "resolve", hasty)
