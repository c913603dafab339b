"""F8: rows are swept when every version below has its shadow cell. Off: the walk of the collector does not heal."""

import pytest

from repo.hbase.healing import Healing


class Idle(Healing):
    """Forgets."""

    def flush(self) -> None:
        self._waiting.clear()


def plant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("repo.hbase.chains.Healing", Idle)
