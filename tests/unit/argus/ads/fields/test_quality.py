"""Quality proxies."""

import pytest

from argus.ads.fields.quality import aspect_ratio, engagement_rate, quality_tier


def test_engagement_rate_per_impression() -> None:
    assert engagement_rate(2, 1, 9) == 0.333333
    assert engagement_rate(None, 1, 4) == 0.25
    assert engagement_rate(2, 1, 0) is None


@pytest.mark.parametrize(("score", "tier"), [(0.8, "HIGH"), (0.4, "MEDIUM"), (0.0, "LOW"), (None, "UNKNOWN")])
def test_quality_tier(score: float | None, tier: str) -> None:
    assert quality_tier(score) == tier


def test_aspect_ratio_in_lowest_terms() -> None:
    assert aspect_ratio(1000, 1500) == "2:3"
    assert aspect_ratio(1000, 0) is None
    assert aspect_ratio(None, 1500) is None
