"""Quality proxies from what people did with the pin, and from models' scores."""

from math import gcd

from argus.api import field


@field(inputs={"saves": "pin.saves", "clicks": "pin.clicks", "impressions": "pin.impressions"}, version=1)
def engagement_rate(saves: int | None, clicks: int | None, impressions: int | None) -> float | None:
    """Saves and clicks per impression; None while nobody has seen the pin."""
    return round(((saves or 0) + (clicks or 0)) / impressions, 6) if impressions else None


@field(inputs={"score": "quality_score"}, version=1)
def quality_tier(score: float | None) -> str:
    """HIGH, MEDIUM or LOW; UNKNOWN before the first score."""
    if score is None:
        return "UNKNOWN"
    return "HIGH" if score >= 0.8 else "MEDIUM" if score >= 0.4 else "LOW"


@field(inputs={"width": "pin.width", "height": "pin.height"}, version=1)
def aspect_ratio(width: int | None, height: int | None) -> str | None:
    """Width to height in lowest terms, as `2:3`; None for an image without an area."""
    if not width or not height:
        return None
    divisor = gcd(width, height)
    return f"{width // divisor}:{height // divisor}"
