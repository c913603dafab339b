"""Chain: the state cell holds all that a flush commits. Off: the last one."""

import pytest

from repo.hbase.state_cell import OracleState


def plant(patch: pytest.MonkeyPatch) -> None:
    encoded = OracleState.encoded
    patch.setattr(OracleState, "encoded", lambda self: encoded(self._replace(batch=self.batch[-1:])))
