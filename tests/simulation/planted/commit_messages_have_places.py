"""Messages of members that share an id and a row have places of their own. Off: one takes the place of another one."""

import pytest

from repo.hbase.prepared import Prepared


def plant(patch: pytest.MonkeyPatch) -> None:
    notifications = Prepared.notifications
    patch.setattr(Prepared, "notifications", lambda self, first: notifications(self, 0))
