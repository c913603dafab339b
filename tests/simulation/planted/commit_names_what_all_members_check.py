"""What any member of a merged id reads for conflict is part of the check. Off: what the first one does."""

from dataclasses import replace

import pytest

from repo.hbase.commit import Group
from repo.oracle.port import CommitRequest


def plant(patch: pytest.MonkeyPatch) -> None:
    request = Group.request

    def shorter(self: Group) -> CommitRequest:
        return replace(request(self), checked=tuple(self.members[0].checked))

    patch.setattr(Group, "request", shorter)
