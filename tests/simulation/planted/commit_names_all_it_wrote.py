"""All written cells are part of the check. Off: the last one is left out."""

from dataclasses import replace

import pytest

from repo.hbase.commit import Group
from repo.oracle.port import CommitRequest


def plant(patch: pytest.MonkeyPatch) -> None:
    request = Group.request

    def shorter(self: Group) -> CommitRequest:
        whole = request(self)
        return replace(whole, written=whole.written[:-1] or whole.written)

    patch.setattr(Group, "request", shorter)
