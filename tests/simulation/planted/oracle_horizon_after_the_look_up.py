"""F8: the sweep horizon is read after the commit table. Off: before; meanwhile it moves."""

from collections.abc import Sequence

import pytest

from repo.oracle.oracle import Oracle
from repo.oracle.port import Fate, Resolution


def plant(patch: pytest.MonkeyPatch) -> None:
    look_up = Oracle._look_up

    def hasty(self: Oracle, ids: Sequence[int]) -> dict[int, Resolution]:
        horizon = self._until_answered(self._storage.sweep_horizon) if ids else 0
        found = look_up(self, ids)
        late = [id for id, one in found.items() if one.fate is Fate.SWEPT and id >= horizon]
        return found | dict.fromkeys(late, Resolution(Fate.ABORTED))

    patch.setattr(Oracle, "_look_up", hasty)
