"""No timestamp is given out at or above the durable ceiling. Off: begins don't look."""

import pytest

from repo.oracle.frames import BeginRequest, BegunRange
from repo.oracle.state_machine import OracleStateMachine


def plant(patch: pytest.MonkeyPatch) -> None:
    def careless(self: OracleStateMachine, request: BeginRequest) -> BegunRange | None:
        first_id = self.allot(request)
        return None if first_id is None else BegunRange(first_id, request.id_count, self.snapshot(request.at_least))

    patch.setattr(OracleStateMachine, "begin", careless)
