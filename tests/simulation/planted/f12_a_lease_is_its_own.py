"""F12: each lease has an id of its own. Off: who ends one ends all of his process."""

import pytest


def plant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("repo.hbase.repo.count", lambda: iter(lambda: 0, 1))
