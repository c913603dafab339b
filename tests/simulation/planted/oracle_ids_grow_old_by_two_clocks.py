"""An id grows old also when the oracle's clock goes back. Off: only by the time."""

import pytest

from repo.oracle.state_machine import OracleStateMachine


def plant(patch: pytest.MonkeyPatch) -> None:
    tick = OracleStateMachine.tick
    patch.setattr(OracleStateMachine, "tick", lambda self, now_ms, monotonic_ms=0.0: tick(self, now_ms))
