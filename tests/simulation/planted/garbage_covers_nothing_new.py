"""A cover checks what is not there, too: it may come, and bring companions. Off: only what it writes."""

import pytest

from repo.api import Transaction


class Unchecked(Transaction):
    def check(self, table: str, key: bytes, group: str) -> None:
        """Forgets."""


def plant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("repo.hbase.cover.Transaction", Unchecked)
