"""Pacing of campaigns."""

import pytest

from argus.ads.handlers.pacing import pace_state, spent_share


@pytest.mark.parametrize(
    ("budget", "spent", "share"),
    [
        (3_000_000, 1_000_000, 0.3333),
        (1_000, 2_000, 2.0),
        (1_000, None, 0.0),
        (0, 5, None),
        (-1, 5, None),
        (None, 5, None),
    ],
)
def test_spent_share_of_the_daily_budget(budget: int | None, spent: int | None, share: float | None) -> None:
    assert spent_share(budget, spent) == share


@pytest.mark.parametrize(
    ("pace", "state"), [(None, "UNLIMITED"), (0.0, "BEHIND"), (0.5, "ON_TRACK"), (0.99, "ON_TRACK"), (1.0, "EXHAUSTED")]
)
def test_pace_state(pace: float | None, state: str) -> None:
    assert pace_state(pace) == state
