"""What is to be expected of an ad, from what signals say about its pin and its text."""

from collections.abc import Mapping
from typing import Any

from argus.api import field


@field(
    inputs={"bid": "bid_micros", "group_bid": "ad_group.bid_micros", "performance": "signals.performance"}, version=1
)
def expected_cpm_micros(bid: int | None, group_bid: int | None, performance: Mapping[str, Any] | None) -> int | None:
    """What a thousand impressions bring when every click is paid as bid; None without a bid or a history."""
    price = group_bid if bid is None else bid
    if price is None or performance is None or performance["ctr"] is None:
        return None
    return int(
        price * round(performance["ctr"] * 10_000) // 10
    )  # in ten-thousandths, as it is measured: a float would lose micros


@field(inputs={"unsafe": "signals.image.unsafe_score", "sentiment": "signals.annotation.sentiment"}, version=1)
def brand_safety(unsafe: float | None, sentiment: float | None) -> str:
    """SAFE, LIMITED, UNSAFE; UNKNOWN while neither the image nor the text was looked at."""
    if unsafe is None and sentiment is None:
        return "UNKNOWN"
    if unsafe is not None and unsafe >= 0.9:
        return "UNSAFE"
    return "LIMITED" if (unsafe or 0.0) >= 0.5 or (sentiment or 0.0) <= -0.6 else "SAFE"
