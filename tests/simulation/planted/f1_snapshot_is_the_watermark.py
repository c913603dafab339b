"""F1: a snapshot is the durable watermark. Off: it is the last timestamp given out, whatever is still in flush."""

import pytest

from repo.oracle.state_machine import OracleStateMachine


def plant(patch: pytest.MonkeyPatch) -> None:
    begin = OracleStateMachine.begin

    def newest(self: OracleStateMachine, request):  # type: ignore[no-untyped-def]
        last, begun = self.last, begin(self, request)
        return begun and begun._replace(snapshot=last)

    patch.setattr(OracleStateMachine, "begin", newest)
