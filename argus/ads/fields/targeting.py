"""Whom an ad is for."""

from argus.api import field

AGE_BUCKETS = tuple(
    (first, last, f"{first}-{last}") for first, last in ((18, 24), (25, 34), (35, 44), (45, 54), (55, 64), (65, 120))
)


@field(
    inputs={"countries": "ad_group.targeting.geos.country", "excluded": "ad_group.targeting.geos.is_excluded"},
    version=1,
)
def targeted_countries(countries: list[str], excluded: list[bool]) -> list[str]:
    """Countries in which at least one region is targeted, in order."""
    return sorted({country for country, is_excluded in zip(countries, excluded, strict=True) if not is_excluded})


@field(inputs={"age_min": "ad_group.targeting.age_min", "age_max": "ad_group.targeting.age_max"}, version=1)
def age_buckets(age_min: int | None, age_max: int | None) -> list[str]:
    """Reporting buckets that the targeted ages touch; an open end is no limit."""
    low, high = age_min or 0, age_max or AGE_BUCKETS[-1][1]
    return [bucket for first, last, bucket in AGE_BUCKETS if first <= high and last >= low]


@field(
    inputs={
        "countries": "ad_group.targeting.geos.country",
        "excluded": "ad_group.targeting.geos.is_excluded",
        "age_min": "ad_group.targeting.age_min",
        "age_max": "ad_group.targeting.age_max",
        "gender": "ad_group.targeting.gender",
        "interests": "ad_group.targeting.interests.interest_id",
    },
    version=1,
)
def targeting_summary(
    countries: list[str],
    excluded: list[bool],
    age_min: int | None,
    age_max: int | None,
    gender: str | None,
    interests: list[int],
) -> str:
    """One line for people, as `DE, US | 18-34 | FEMALE | 3 interests`."""
    places = ", ".join(targeted_countries(countries, excluded)) or "everywhere"
    ages = "all ages" if age_min is None and age_max is None else f"{age_min or ''}-{age_max or ''}"
    return f"{places} | {ages} | {gender or 'ALL'} | {len(interests)} interests"
