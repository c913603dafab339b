"""F6, F11: Omid's clients declare dead only what is older than the epoch that leads, for nobody decides that any more.
Off: whatever is not committed yet; then the flush lands, and who was told "committed" is not."""

import pytest

from tests.simulation.oracles import FaultyOracle


def plant(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FaultyOracle, "published_epoch", lambda self: 1 << 62)
