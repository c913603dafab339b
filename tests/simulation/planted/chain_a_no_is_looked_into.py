"""Chain: a "no" to a compare-and-set may be the second attempt's. Off: it is believed."""

import pytest

from repo.hbase.state_cell import OracleState, StateCell


def plant(patch: pytest.MonkeyPatch) -> None:
    def believing(self: StateCell, before: bytes | None, state: OracleState) -> bool:
        if not self._put(before, state.encoded()):
            return False
        self._state = state
        return True

    patch.setattr(StateCell, "_replaced", believing)
