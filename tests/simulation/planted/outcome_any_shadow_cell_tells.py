"""A swept id is committed if any version of it has its shadow cell. Off: the first one decides, and may be
collected."""

from collections.abc import Sequence

import pytest

from repo.api import OutcomeKind
from repo.hbase.outcomes import Place, Settlement
from repo.oracle.port import Decision


def plant(patch: pytest.MonkeyPatch) -> None:
    swept = Settlement._swept

    def hasty(self: Settlement, id: int, written: Sequence[Place]) -> Decision:
        if swept(self, id, written[:1]).kind is OutcomeKind.COMMITTED:
            return swept(self, id, written)
        left = any(self._version(table, row, column, id) is not None for table, row, column in written)
        return Decision(OutcomeKind.TOO_OLD if left else OutcomeKind.UNKNOWN)

    patch.setattr(Settlement, "_swept", hasty)
