"""A swept id of which no version is left may have been committed. Off: it has no shadow cell, so it was not."""

import pytest

from repo.api import OutcomeKind
from repo.hbase.outcomes import Settlement
from repo.oracle.port import Decision


def plant(patch: pytest.MonkeyPatch) -> None:
    swept = Settlement._swept

    def hasty(self: Settlement, id: int, written) -> Decision:  # type: ignore[no-untyped-def]
        found = swept(self, id, written)
        return Decision(OutcomeKind.TOO_OLD) if found.kind is OutcomeKind.UNKNOWN else found

    patch.setattr(Settlement, "_swept", hasty)
