"""An id that is older than the age limit is refused. Off: it is good for ever."""

import pytest

from repo.oracle.open_ids import OpenIds


def plant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OpenIds, "expire", lambda self, before: None)
