"""What was read for conflict is part of the check. Off: it is not sent."""

from dataclasses import replace

import pytest

from repo.hbase.commit import Group
from repo.oracle.port import CommitRequest


def plant(patch: pytest.MonkeyPatch) -> None:
    request = Group.request

    def unread(self: Group) -> CommitRequest:
        return replace(request(self), checked=())

    patch.setattr(Group, "request", unread)
