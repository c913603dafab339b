"""F8: of an id below the sweep horizon the shadow cell decides. Off: without a row it counts as aborted."""

from collections.abc import Sequence

import pytest

from repo.oracle.oracle import Oracle
from repo.oracle.port import Fate, Resolution


def plant(patch: pytest.MonkeyPatch) -> None:
    look_up = Oracle._look_up

    def without_horizon(self: Oracle, ids: Sequence[int]) -> dict[int, Resolution]:
        found = look_up(self, ids)
        return {id: Resolution(Fate.ABORTED) if one.fate is Fate.SWEPT else one for id, one in found.items()}

    patch.setattr(Oracle, "_look_up", without_horizon)
