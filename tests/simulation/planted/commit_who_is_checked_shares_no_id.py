"""Members one of which writes what the other reads for conflict don't share an id. Off: only what both write counts."""

from collections.abc import Sequence

import pytest

from repo.hbase.prepared import Prepared


def plant(patch: pytest.MonkeyPatch) -> None:
    def careless(members: Sequence[Prepared]) -> tuple[list[Prepared], list[Prepared]]:
        touched = set[int]()
        free: list[Prepared] = []
        waiting: list[Prepared] = []
        for member in members:
            (free if touched.isdisjoint(member.touched) else waiting).append(member)
            touched |= member.touched
        return free, waiting

    patch.setattr("repo.hbase.commit.without_overlap", careless)
