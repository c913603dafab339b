"""Whether a version is left is asked after its shadow cell. Off: before; meanwhile both are collected."""

from collections.abc import Sequence

import pytest

from repo.api import OutcomeKind
from repo.hbase.outcomes import Place, Settlement
from repo.oracle.port import Decision


def plant(patch: pytest.MonkeyPatch) -> None:
    swept = Settlement._swept

    def hasty(self: Settlement, id: int, written: Sequence[Place]) -> Decision:
        left = any(self._version(table, row, column, id) is not None for table, row, column in written)
        found = swept(self, id, written)
        if found.kind is OutcomeKind.COMMITTED:
            return found
        return Decision(OutcomeKind.TOO_OLD if left else OutcomeKind.UNKNOWN)

    patch.setattr(Settlement, "_swept", hasty)
