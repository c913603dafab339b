"""F5: a commit is never sent twice. Off: an answer that was lost is asked for again."""

from collections.abc import Sequence

import pytest

from repo.api import OutcomeKind
from repo.oracle.port import CommitRequest, Decision
from tests.simulation.oracles import FaultyOracle


def plant(patch: pytest.MonkeyPatch) -> None:
    commit = FaultyOracle.commit

    def insistent(self: FaultyOracle, requests: Sequence[CommitRequest]) -> list[Decision]:
        decisions = commit(self, requests)
        if decisions and decisions[0].kind is OutcomeKind.UNKNOWN:
            return commit(self, requests)
        return decisions

    patch.setattr(FaultyOracle, "commit", insistent)
