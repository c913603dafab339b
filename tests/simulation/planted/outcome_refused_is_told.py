"""Who settles what the oracle refuses is told that it is not committed. Off: that nobody knows."""

from collections.abc import Iterable

import pytest

from repo.api import OutcomeKind
from repo.hbase.outcomes import Place, Settlement
from repo.oracle.port import Decision, Fate, Resolution


def plant(patch: pytest.MonkeyPatch) -> None:
    decide = Settlement._decision

    def unsure(self: Settlement, id: int, found: Resolution, written: Iterable[Place]) -> Decision:
        if found.fate is Fate.ABORTED:
            return Decision(OutcomeKind.UNKNOWN)
        return decide(self, id, found, written)

    patch.setattr(Settlement, "_decision", unsure)
