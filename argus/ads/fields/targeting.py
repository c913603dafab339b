"""Whom an ad is for."""

from collections.abc import Mapping
from typing import Any

from argus.api import field

AGE_BUCKETS = ((18, 24), (25, 34), (35, 44), (45, 54), (55, 64), (65, 120))


@field(inputs={"geos": "ad_group.targeting.geos"}, version=1)
def targeted_countries(geos: list[Mapping[str, Any]]) -> list[str]:
    """Countries in which at least one region is targeted, in order."""
    return sorted({geo["country"] for geo in geos if not geo["is_excluded"]})


@field(inputs={"age_min": "ad_group.targeting.age_min", "age_max": "ad_group.targeting.age_max"}, version=1)
def age_buckets(age_min: int | None, age_max: int | None) -> list[str]:
    """Reporting buckets that the targeted ages touch; an open end is no limit."""
    low, high = age_min or 0, age_max or AGE_BUCKETS[-1][1]
    return [f"{first}-{last}" for first, last in AGE_BUCKETS if first <= high and last >= low]


@field(
    inputs={
        "geos": "ad_group.targeting.geos",
        "age_min": "ad_group.targeting.age_min",
        "age_max": "ad_group.targeting.age_max",
        "gender": "ad_group.targeting.gender",
        "interests": "ad_group.targeting.interests.interest.name",
    },
    version=1,
)
def targeting_summary(
    geos: list[Mapping[str, Any]],
    age_min: int | None,
    age_max: int | None,
    gender: str | None,
    interests: list[str | None],
) -> str:
    """One line for people, as `DE, US | 18-34 | FEMALE | 3 interests`."""
    countries = ", ".join(targeted_countries(geos)) or "everywhere"
    ages = "all ages" if age_min is None and age_max is None else f"{age_min or ''}-{age_max or ''}"
    return f"{countries} | {ages} | {gender or 'ALL'} | {len(interests)} interests"
