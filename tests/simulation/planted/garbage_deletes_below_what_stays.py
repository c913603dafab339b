"""Deleted is what lies below the version that stays. Off: that one, too."""

from typing import Any

import pytest

from repo.hbase.deletions import Deletions


def plant(patch: pytest.MonkeyPatch) -> None:
    deletion = Deletions._deletion

    def one_more(self: Deletions, *arguments: Any) -> tuple[int, int]:
        upto, count = deletion(self, *arguments)
        return upto + 1, count

    patch.setattr(Deletions, "_deletion", one_more)
