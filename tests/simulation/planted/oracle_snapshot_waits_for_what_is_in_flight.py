"""A snapshot holds no commit that is in flight. Off: whoever names a newer timestamp gets it."""

import pytest

from repo.oracle.state_machine import OracleStateMachine


def plant(patch: pytest.MonkeyPatch) -> None:
    def hasty(self: OracleStateMachine, at_least: int = 0) -> int:
        return at_least if self.watermark < at_least <= min(self.last, self._ceiling - 1) else self.watermark

    patch.setattr(OracleStateMachine, "snapshot", hasty)
