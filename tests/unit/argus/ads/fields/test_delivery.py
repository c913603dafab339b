"""What blocks an ad, and where a click leads."""

from argus.ads.fields.delivery import blocking_reasons, click_url


def test_nothing_blocks_an_ad_that_is_active_all_the_way_up() -> None:
    assert blocking_reasons("ACTIVE", "APPROVED", "ACTIVE", "ACTIVE", "ACTIVE", True) == []
    assert blocking_reasons("ACTIVE", "EXEMPT", "ACTIVE", "ACTIVE", "ACTIVE", True) == []


def test_every_level_that_blocks_is_named() -> None:
    reasons = blocking_reasons("PAUSED", "PENDING", "ACTIVE", "", None, None)
    assert reasons == ["AD_PAUSED", "CAMPAIGN_MISSING", "ADVERTISER_MISSING", "REVIEW_PENDING", "MARKET_CLOSED"]


def test_click_url_carries_tracking_in_order() -> None:
    tracking = {"utm_source": "pins", "b": "c&d"}
    assert click_url("https://x.example/a", None, tracking) == "https://x.example/a?b=c%26d&utm_source=pins"
    assert click_url("https://x.example/?a=1", None, {"b": "2"}) == "https://x.example/?a=1&b=2"


def test_click_url_falls_back_to_the_pin() -> None:
    assert click_url("", "https://pin.example", None) == "https://pin.example"
    assert click_url(None, None, {"b": "2"}) is None
