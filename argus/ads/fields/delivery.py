"""What stands between an ad and its audience, and where a click leads."""

from collections.abc import Mapping
from urllib.parse import urlencode

from argus.api import field


@field(
    inputs={
        "ad": "status",
        "review": "review_status",
        "ad_group": "ad_group.status",
        "campaign": "ad_group.campaign.status",
        "advertiser": "ad_group.campaign.advertiser.status",
        "market_is_open": "ad_group.campaign.advertiser.marketplace.is_open",
    },
    version=1,
)
def blocking_reasons(
    ad: str | None,
    review: str | None,
    ad_group: str | None,
    campaign: str | None,
    advertiser: str | None,
    market_is_open: bool | None,
) -> list[str]:
    """Why the ad may not serve, the nearest reason first, as `CAMPAIGN_PAUSED`; empty when nothing blocks it."""
    levels = {"AD": ad, "AD_GROUP": ad_group, "CAMPAIGN": campaign, "ADVERTISER": advertiser}
    reasons = [f"{level}_{status or 'MISSING'}" for level, status in levels.items() if status != "ACTIVE"]
    if review not in ("APPROVED", "EXEMPT"):
        reasons.append(f"REVIEW_{review or 'MISSING'}")
    if not market_is_open:
        reasons.append("MARKET_CLOSED")
    return reasons


@field(inputs={"landing_url": "creative.landing_url", "pin_link": "pin.link", "tracking": "tracking"}, version=1)
def click_url(landing_url: str | None, pin_link: str | None, tracking: Mapping[str, str] | None) -> str | None:
    """The creative's landing page, else the pin's link, with the ad's tracking parameters in order of name."""
    url = landing_url or pin_link
    if not url or not tracking:
        return url or None
    return f"{url}{'&' if '?' in url else '?'}{urlencode(sorted(tracking.items()))}"
