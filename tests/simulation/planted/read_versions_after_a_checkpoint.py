"""Versions of a transaction of Omid's after its checkpoints are looked up by its id. Off: each by its own."""

from collections.abc import Sequence

import pytest

from repo.hbase.commit_table import CommitTableReader


def plant(patch: pytest.MonkeyPatch) -> None:
    look_up = CommitTableReader.look_up

    def plain(self: CommitTableReader, ids: Sequence[int]) -> dict[int, int]:
        with pytest.MonkeyPatch.context() as during:
            during.setattr("repo.hbase.commit_table.TIMESTAMP_STEP", 1)
            return look_up(self, ids)

    patch.setattr(CommitTableReader, "look_up", plain)
