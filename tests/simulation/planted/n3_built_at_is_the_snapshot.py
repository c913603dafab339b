"""N3: ids, snapshots and commit timestamps are not compared with one another: `built_at` is the snapshot of a build.
Off: it is when the build is about to be committed; what others have committed in between counts as built."""

from typing import Any

import pytest

import argus.build
from argus.build import Builder
from proto.record import BuildRecord
from repo.api import Transaction


def plant(patch: pytest.MonkeyPatch) -> None:
    made = Builder._transaction

    def transaction(self: Builder, *arguments: Any) -> Transaction:
        newest = self._repo.last_timestamp()
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(argus.build, "BuildRecord", lambda built_at, *rest: BuildRecord(newest, *rest))
            return made(self, *arguments)

    patch.setattr(Builder, "_transaction", transaction)
