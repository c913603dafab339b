"""F9: a new leader knows nothing of earlier commits, and so judges no snapshot below its epoch. Off: it judges all."""

import pytest

from repo.oracle.conflict_map import ConflictMap
from repo.oracle.state_machine import OracleLimits, OracleStateMachine
from repo.oracle.storage import Taken


def plant(patch: pytest.MonkeyPatch) -> None:
    made = OracleStateMachine.__init__

    def ignorant(self: OracleStateMachine, taken: Taken, limits: OracleLimits) -> None:
        made(self, taken, limits)
        self._conflicts = ConflictMap(limits.cells_max, watermark=0)

    patch.setattr(OracleStateMachine, "__init__", ignorant)
