"""A begin of several ids takes all of them. Off: the next one begins right after its first."""

import pytest

from repo.oracle.frames import BeginRequest
from repo.oracle.state_machine import OracleStateMachine


def plant(patch: pytest.MonkeyPatch) -> None:
    allot = OracleStateMachine.allot

    def overlapping(self: OracleStateMachine, request: BeginRequest) -> int | None:
        first_id = allot(self, request)
        if first_id is not None and request.id_count > 1:
            self.last = first_id
        return first_id

    patch.setattr(OracleStateMachine, "allot", overlapping)
