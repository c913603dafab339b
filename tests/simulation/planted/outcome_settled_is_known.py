"""F13: what a client is told when it settles is known to it, as its other commits are. Off: its next snapshot may lack
it."""

import pytest

from repo.api import Outcome, Transaction
from repo.hbase.repo import HbaseRepo


class Forgetful(HbaseRepo):
    def _know(self, *timestamps: int) -> None:
        """Forgets."""


def plant(patch: pytest.MonkeyPatch) -> None:
    settle = HbaseRepo.settle

    def hasty(self: HbaseRepo, transaction: Transaction, unknown: Outcome) -> Outcome:
        forgetful = Forgetful.__new__(Forgetful)
        forgetful.__dict__ = self.__dict__
        return settle(forgetful, transaction, unknown)

    patch.setattr(HbaseRepo, "settle", hasty)
