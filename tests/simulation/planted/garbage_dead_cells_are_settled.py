"""Dead cells are deleted when nothing older can land any more. Off: as soon as the watermark is above them."""

from collections.abc import Mapping

import pytest

from repo.hbase.chains import Chain
from repo.hbase.deletions import Deletions
from tests.simulation.product import SETTLED_MS


def plant(patch: pytest.MonkeyPatch) -> None:
    aborted = Deletions._aborted

    def hasty(self: Deletions, settled: int, found: Mapping[bytes, Chain]) -> set[bytes]:
        return aborted(self, settled + SETTLED_MS * 1_000_000, found)

    patch.setattr(Deletions, "_aborted", hasty)
