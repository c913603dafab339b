"""What is to be expected of an ad."""

import pytest

from argus.ads.fields.forecast import brand_safety, expected_cpm_micros


def test_a_thousand_impressions_at_the_ads_own_bid_or_its_groups() -> None:
    assert expected_cpm_micros(3, 500, {"ctr": 0.0123}) == 36
    assert expected_cpm_micros(None, 1_000_000, {"ctr": 0.0123}) == 12_300_000
    assert expected_cpm_micros(0, 500, {"ctr": 0.5}) == 0


@pytest.mark.parametrize("performance", [None, {"ctr": None}])
def test_without_a_history_or_a_bid_nothing_is_expected(performance: dict[str, float | None] | None) -> None:
    assert expected_cpm_micros(5, 5, performance) is None
    assert expected_cpm_micros(None, None, {"ctr": 0.1}) is None


@pytest.mark.parametrize(
    ("unsafe", "sentiment", "verdict"),
    [
        (None, None, "UNKNOWN"),
        (0.0, None, "SAFE"),
        (None, 0.0, "SAFE"),
        (0.9, 1.0, "UNSAFE"),
        (0.5, 1.0, "LIMITED"),
        (0.1, -0.6, "LIMITED"),
    ],
)
def test_the_worse_of_image_and_text_decides(unsafe: float | None, sentiment: float | None, verdict: str) -> None:
    assert brand_safety(unsafe, sentiment) == verdict
