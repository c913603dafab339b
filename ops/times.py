"""Timestamps as people read and write them: UTC, to the millisecond, and how long ago.

A commit timestamp is wall clock in ms * 1,000,000 plus a counter, so it is also a time.
"""

import re
from datetime import UTC, datetime, timedelta

from proto.errors import SettingsError

_PER_MS = 1_000_000
_UNIT_MS = {"ms": 1.0, "s": 1e3, "m": 60e3, "h": 3600e3, "d": 86400e3}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")
_AGO = re.compile(r"-(?:\d+(?:\.\d+)?(?:ms|[smhd]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")
_DURATIONS = (
    (10.0, 1.0, "{:.1f} ms"),
    (1e3, 1.0, "{:.0f} ms"),
    (60e3, 1e3, "{:.1f} s"),
    (3600e3, 60e3, "{:.0f} min"),
    (48 * 3600e3, 3600e3, "{:.1f} h"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(ms: float) -> str:
    """Milliseconds since 1970 -> `2026-11-22T21:14:03.120Z`."""
    return (_EPOCH + timedelta(milliseconds=int(ms))).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_of(timestamp: int) -> str:
    """The wall-clock time of a commit timestamp."""
    return iso(timestamp // _PER_MS)


def clock_time(ms: float) -> str:
    """As `iso`, but for the eye: `2026-11-22 21:14:03.120`."""
    return iso(ms)[:-1].replace("T", " ")


def clock_time_of(timestamp: int) -> str:
    """The wall-clock time of a commit timestamp, for the eye."""
    return clock_time(timestamp // _PER_MS)


def ago(ms: float, now_ms: float) -> str:
    """`3.2 s ago`, `5 min ago`, `in 2 s`."""
    age_ms = now_ms - ms
    return f"{duration(age_ms)} ago" if age_ms >= 0 else f"in {duration(-age_ms)}"


def ago_of(timestamp: int, now_ms: float) -> str:
    """How long ago a commit timestamp was."""
    return ago(timestamp / _PER_MS, now_ms)


def duration(ms: float) -> str:
    """`0.7 ms`, `12 ms`, `3.2 s`, `5 min`, `2.0 h`, `3 days`."""
    for most, divisor, text in _DURATIONS:
        if ms < most:
            return text.format(ms / divisor)
    return f"{ms / 86400e3:.0f} days"


def parse_time(text: str, now_ms: float) -> int:
    """`2026-11-22T21:14:03Z`, `-5m`, `-1h30m`, `now`, or a timestamp -> the last timestamp of that moment.

    A time without a zone is UTC. Raises SettingsError.
    """
    text = text.strip()
    if text.isdigit():
        return int(text)
    if text == "now":
        return _last_of(now_ms)
    if _AGO.fullmatch(text):
        return _last_of(now_ms - sum(float(amount) * _UNIT_MS[unit] for amount, unit in _PART.findall(text)))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"{text!r} is not a time; write 2026-11-22T21:14:03Z (UTC without a zone), -5m, -1h30m, now, or a timestamp"
        ) from None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return _last_of((aware - _EPOCH) / timedelta(milliseconds=1))


def parse_duration(text: str) -> float:
    """`10m`, `90s`, `1h30m` -> ms. Raises SettingsError."""
    if not _DURATION.fullmatch(text.strip()):
        raise SettingsError(f"{text!r} is not a length of time; write 10m, 90s, 1h30m, 2d")
    return sum(float(amount) * _UNIT_MS[unit] for amount, unit in _PART.findall(text))


def _last_of(ms: float) -> int:
    """The last timestamp of that millisecond, so that "as of 21:14:03.120" holds what was committed in it."""
    return (int(ms) + 1) * _PER_MS - 1
