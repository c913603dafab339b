"""F13: a begin reaches what the client knows. Off: a former leader answers with what it has."""

import pytest

from repo.oracle.frames import BeginRequest, BegunRange
from repo.oracle.state_machine import OracleStateMachine


def plant(patch: pytest.MonkeyPatch) -> None:
    begin = OracleStateMachine.begin

    def obliging(self: OracleStateMachine, request: BeginRequest) -> BegunRange | None:
        return begin(self, request._replace(at_least=0))

    patch.setattr(OracleStateMachine, "begin", obliging)
