"""N2: a fan-out looks for documents at or above the change. Off: at the snapshot that the process happens to have, that
of its batch before; there a child may still be elsewhere."""

from typing import Any
from weakref import WeakKeyDictionary

import pytest

from argus.dispatch import Work
from argus.processor import Argus
from repo.api import Repo, Snapshot


class Lagging:
    """A Repo whose snapshots are all at one timestamp."""

    def __init__(self, repo: Repo, timestamp: int) -> None:
        self._repo, self._timestamp = repo, timestamp

    def snapshot(self, at_least: int = 0, still: bool = False) -> Snapshot:
        return self._repo.snapshot_at(self._timestamp)


def plant(patch: pytest.MonkeyPatch) -> None:
    spread = Argus._spread
    before: WeakKeyDictionary[Argus, int] = WeakKeyDictionary()

    def anywhere(self: Argus, work: Work, newest: int) -> None:
        lagging: Any = Lagging(self._repo, before.get(self, newest))
        before[self] = newest
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(self, "_repo", lagging)
            spread(self, work, newest)

    patch.setattr(Argus, "_spread", anywhere)
