"""A shadow cell holds the commit timestamp. Off: the id (N3's confusion, in the engine)."""

from collections.abc import Iterator

import pytest

from repo.hbase.commit import Group
from repo.hbase.prepared import Rows


def plant(patch: pytest.MonkeyPatch) -> None:
    shadows = Group.shadows

    def confused(self: Group, commit_timestamp: int) -> Iterator[tuple[str, Rows]]:
        return shadows(self, self.id)

    patch.setattr(Group, "shadows", confused)
