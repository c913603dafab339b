"""When an ad may run."""

from datetime import date

import pytest

from argus.ads.fields.schedule import active_hours_per_week, active_windows, flight_days, merged

OFFICE = [{"days": [0, 1], "from": 9, "to": 17}]


def test_active_windows_count_hours_from_monday() -> None:
    assert active_windows(OFFICE) == [[9, 17], [33, 41]]
    assert active_windows([*OFFICE, {"days": [0], "from": 16, "to": 20}]) == [[9, 20], [33, 41]]
    assert active_windows([]) == active_windows(None) == [[0, 168]]


def test_active_hours_per_week() -> None:
    assert active_hours_per_week(OFFICE) == 16
    assert active_hours_per_week(None) == 168
    assert active_hours_per_week([{"days": [3], "from": 5, "to": 5}]) == 0


def test_windows_that_touch_are_merged() -> None:
    assert merged([(5, 7), (0, 5), (3, 3), (9, 10)]) == [[0, 7], [9, 10]]


@pytest.mark.parametrize(
    ("starts", "ends", "days"),
    [("2026-02-27", "2026-03-01", 3), ("2026-01-01", "2026-01-01", 1), ("2026-01-02", "2026-01-01", 0)],
)
def test_flight_days_count_first_and_last(starts: str, ends: str, days: int) -> None:
    assert flight_days(date.fromisoformat(starts), date.fromisoformat(ends)) == days


def test_a_campaign_without_an_end_has_no_flight_days() -> None:
    assert flight_days(date(2026, 1, 1), None) is None
