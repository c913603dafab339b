"""F12: garbage collection's state is changed by compare-and-set. Off: what others have put meanwhile, a lease perhaps,
is overwritten."""

import pytest

from repo.hbase.gc_state import GcStateCell


def plant(patch: pytest.MonkeyPatch) -> None:
    replaced = GcStateCell._replaced
    patch.setattr(GcStateCell, "_replaced", lambda self, old, new: replaced(self, self._stored(), new))
