"""A tombstone goes when nothing that it hides can land any more. Off: as soon as the watermark has reached it."""

import pytest

from repo.hbase.chains import Chain
from repo.hbase.deletions import Deletions
from tests.simulation.product import SETTLED_MS


def plant(patch: pytest.MonkeyPatch) -> None:
    deletion = Deletions._deletion

    def hasty(self: Deletions, settled: int, chain: Chain, aborted: bool, below: int) -> tuple[int, int]:
        return deletion(self, settled + SETTLED_MS * 1_000_000 + 1, chain, aborted, below)

    patch.setattr(Deletions, "_deletion", hasty)
