"""N5: a build that changes nothing is committed all the same. Off: it writes nothing; so a slower, older build does not
conflict with it."""

from collections.abc import Sequence
from typing import Any

import pytest

from argus.build import Builder
from repo.api import Outcome, OutcomeKind, Transaction
from repo.system import BUILD, CONTENT
from tests.simulation.recorder import RecordedRepo


def leave_unchanged_builds_out(patch: pytest.MonkeyPatch) -> None:
    """Their transactions are empty."""
    made = Builder._transaction

    def transaction(self: Builder, *arguments: Any) -> Transaction:
        result = made(self, *arguments)
        for cell in list(result.writes):
            if cell.group == BUILD and cell._replace(group=CONTENT) not in result.companions:
                del result.writes[cell]
        return result

    patch.setattr(Builder, "_transaction", transaction)


def plant(patch: pytest.MonkeyPatch) -> None:
    commit = RecordedRepo.commit

    def commit_what_there_is(self: RecordedRepo, transactions: Sequence[Transaction]) -> list[Outcome]:
        some = [one for one in transactions if one.writes]
        outcomes = iter(commit(self, some) if some else ())
        nothing = Outcome(OutcomeKind.COMMITTED)
        return [next(outcomes) if one.writes else nothing for one in transactions]

    leave_unchanged_builds_out(patch)
    patch.setattr(RecordedRepo, "commit", commit_what_there_is)
