"""The last id of a begin is below the durable ceiling. Off: the first one."""

import pytest

from repo.oracle.frames import BeginRequest, BegunRange
from repo.oracle.state_machine import OracleStateMachine


def plant(patch: pytest.MonkeyPatch) -> None:
    begin = OracleStateMachine.begin

    def careless(self: OracleStateMachine, request: BeginRequest) -> BegunRange | None:
        if begin(self, request._replace(id_count=0)) is None or self._next() >= self._ceiling:
            return None
        first_id = self.allot(request)
        return None if first_id is None else BegunRange(first_id, request.id_count, self.snapshot(request.at_least))

    patch.setattr(OracleStateMachine, "begin", careless)
