"""When an ad may run. Hours of the week count from Monday 00:00 in the advertiser's time zone."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from argus.api import field

HOURS_PER_DAY = 24
HOURS_PER_WEEK = 168


@field(inputs={"schedule": "ad_group.targeting.schedule"}, version=1)
def active_windows(schedule: list[Mapping[str, Any]] | None) -> list[list[int]]:
    """Hours of the week in which the ad may run, as [first, end) windows in order; no schedule: always."""
    return merged(_windows(schedule)) if schedule else [[0, HOURS_PER_WEEK]]


@field(inputs={"schedule": "ad_group.targeting.schedule"}, version=1)
def active_hours_per_week(schedule: list[Mapping[str, Any]] | None) -> int:
    """How many hours of the week the ad may run."""
    return sum(end - first for first, end in active_windows(schedule))


@field(inputs={"starts_on": "ad_group.campaign.starts_on", "ends_on": "ad_group.campaign.ends_on"}, version=1)
def flight_days(starts_on: date | None, ends_on: date | None) -> int | None:
    """Days that the campaign runs, first and last included; None without an end."""
    return None if starts_on is None or ends_on is None else max((ends_on - starts_on).days + 1, 0)


def merged(windows: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Windows in order, those that touch or overlap made one, empty ones left out."""
    result: list[list[int]] = []
    for first, end in sorted(windows):
        if result and first <= result[-1][1]:
            result[-1][1] = max(result[-1][1], end)
        elif first < end:
            result.append([first, end])
    return result


def _windows(schedule: Iterable[Mapping[str, Any]]) -> Iterable[tuple[int, int]]:
    for rule in schedule:
        for day in rule["days"]:
            yield day * HOURS_PER_DAY + rule["from"], day * HOURS_PER_DAY + rule["to"]
