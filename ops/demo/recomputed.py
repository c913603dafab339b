"""The ad's computed fields once more, by other means than argus/ads: what both get right is right."""

import math
import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

Row = Mapping[str, Any]


def recomputed(row: Row) -> dict[str, Any]:
    """Computed fields of one ad. row: its plain fields as printed, and `_width`, `_height`, `_geos`, `_performance`."""
    hours = _hours(row["targeting_schedule"])
    countries = sorted({country for country, _, excluded in row["_geos"] if not excluded})
    pace = _pace(row)
    return {
        "daily_budget_usd": _dollars(row["daily_budget_micros"], row["currency_usd_rate"], 1_000_000),
        "shared_budget_usd": _dollars(row["budget_amount"], row["currency_usd_rate"], 1),
        "pace": pace,
        "pace_state": _pace_state(row, pace),
        "active_windows": _windows(hours),
        "active_hours_per_week": len(hours),
        "targeted_countries": countries,
        "targeting_summary": _summary(row, countries),
        "aspect_ratio": _ratio(row["_width"], row["_height"]),
        "engagement_rate": _engagement(row),
        "display_title": _display_title(row),
        "text_direction": _direction(row["title"] or ""),
        "search_terms": _terms(row),
        "blocking_reasons": _reasons(row),
        "click_url": _click_url(row),
        "expected_cpm_micros": _cpm(row),
        "brand_safety": _safety(row["pin_unsafe_score"], row["text_sentiment"]),
    }


@lru_cache(maxsize=10_000)
def _dollars(amount: Any, rate: str | None, unit: int) -> str | None:
    if amount is None or rate is None:
        return None
    cents = round(Fraction(amount) * Fraction(rate) * 100 / unit)
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _pace(row: Row) -> float | None:
    budget = row["daily_budget_micros"]
    return round((row["spent_micros"] or 0) / budget, 4) if budget is not None and budget > 0 else None


def _pace_state(row: Row, pace: float | None) -> str | None:
    if row["campaign_name"] is None:  # there is no such campaign; campaigns have names
        return None
    states = ((1.0, "EXHAUSTED"), (0.5, "ON_TRACK"), (0.0, "BEHIND"))
    return "UNLIMITED" if pace is None else next((state for least, state in states if pace >= least), "BEHIND")


def _hours(schedule: list[dict[str, Any]] | None) -> set[int]:
    """Hours of the week, each by itself."""
    return (
        set(range(168))
        if not schedule
        else {day * 24 + hour for rule in schedule for day in rule["days"] for hour in range(rule["from"], rule["to"])}
    )


def _windows(hours: set[int]) -> list[list[int]]:
    firsts = sorted(hour for hour in hours if hour - 1 not in hours)
    ends = sorted(hour + 1 for hour in hours if hour + 1 not in hours)
    return [[first, end] for first, end in zip(firsts, ends, strict=True)]


def _summary(row: Row, countries: list[str]) -> str:
    low, high = row["targeting_age_min"], row["targeting_age_max"]
    ages = "all ages" if (low, high) == (None, None) else "-".join(str(age) if age else "" for age in (low, high))
    interests = f"{len(row['targeting_interests'])} interests"
    where = ", ".join(countries) if countries else "everywhere"
    return " | ".join((where, ages, row["targeting_gender"] or "ALL", interests))


def _ratio(width: int | None, height: int | None) -> str | None:
    if not width or not height:
        return None
    lowest = Fraction(width, height)
    return f"{lowest.numerator}:{lowest.denominator}"


def _engagement(row: Row) -> float | None:
    seen = row["pin_impressions"]
    return round(((row["pin_saves"] or 0) + (row["pin_clicks"] or 0)) / seen, 6) if seen else None


def _display_title(row: Row) -> str | None:
    texts = (row["title"], row["creative_headline"], row["pin_title"])
    shown = [re.sub(r"\s+", " ", unicodedata.normalize("NFC", text or "")).strip() for text in texts]
    return next((text[:100] for text in shown if text), None)


def _direction(title: str) -> str:
    strong = [kind for kind in map(unicodedata.bidirectional, title) if kind in {"L", "R", "AL"}]
    return "rtl" if strong and strong[0] in {"R", "AL"} else "ltr"


def _terms(row: Row) -> list[str]:
    text = " ".join(filter(None, [row["title"], *row["keywords"]]))
    words = re.split(r"\W+", unicodedata.normalize("NFC", text).casefold())
    return sorted({word for word in words if len(word) > 1})


def _reasons(row: Row) -> list[str]:
    reasons = []
    for level, column in (
        ("AD", "status"),
        ("AD_GROUP", "ad_group_status"),
        ("CAMPAIGN", "campaign_status"),
        ("ADVERTISER", "advertiser_status"),
    ):
        if row[column] != "ACTIVE":
            reasons.append(level + "_" + (row[column] or "MISSING"))
    if row["review_status"] not in {"APPROVED", "EXEMPT"}:
        reasons.append("REVIEW_" + (row["review_status"] or "MISSING"))
    return reasons if row["marketplace_is_open"] else [*reasons, "MARKET_CLOSED"]


def _cpm(row: Row) -> int | None:
    bid = row["ad_group_bid_micros"] if row["bid_micros"] is None else row["bid_micros"]
    rate = row["_performance"].get("ctr")
    return None if bid is None or rate is None else math.floor(Fraction(bid) * Fraction(str(rate)) * 1000)


def _safety(unsafe: float | None, sentiment: float | None) -> str:
    if (unsafe, sentiment) == (None, None):
        return "UNKNOWN"
    gloom = 0.5 if sentiment is not None and sentiment <= -0.6 else 0.0
    worst = max(unsafe or 0.0, gloom)
    return ("SAFE", "LIMITED", "UNSAFE")[(worst >= 0.5) + (worst >= 0.9)]


def _click_url(row: Row) -> str | None:
    url: str | None = row["creative_landing_url"] or row["pin_link"] or None
    if url is None or not row["tracking"]:
        return url
    pairs = [f"{quote_plus(name)}={quote_plus(str(row['tracking'][name]))}" for name in sorted(row["tracking"])]
    return url + ("&" if "?" in url else "?") + "&".join(pairs)
