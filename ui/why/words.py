"""Times, spans and lists in sentences."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

_PER_MS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPANS = (
    (1000.0, 1.0, "ms"),
    (60_000.0, 1000.0, "s"),
    (3_600_000.0, 60_000.0, "min"),
    (172_800_000.0, 3_600_000.0, "h"),
)


def moment(ms: float, now_ms: float) -> str:
    """`10:40:12.004 UTC`; with the date when that is another day than today."""
    at = _EPOCH + timedelta(milliseconds=ms)
    today = at.date() == (_EPOCH + timedelta(milliseconds=now_ms)).date()
    return f"{at:{'%H:%M:%S' if today else '%Y-%m-%d %H:%M:%S'}}.{at.microsecond // 1000:03} UTC"


def moment_of(timestamp: int, now_ms: float) -> str:
    """The same of a commit timestamp."""
    return moment(timestamp / _PER_MS, now_ms)


def span(ms: float) -> str:
    """`3 ms`, `12 s`, `5 min`, `3 h`, `4 days`."""
    for most, divisor, unit in _SPANS:
        if ms < most:
            return f"{ms / divisor:.0f} {unit}"
    return f"{ms / 86_400_000:.0f} days"


def value_text(value: Any) -> str:
    """A stored value as people read it."""
    if value is None:
        return "not set (NULL)"
    return value or "empty" if isinstance(value, str) else msgspec.json.encode(value).decode()


def listed(items: Sequence[str], most: int = 3) -> str:
    """`a, b and c`; `a, b, c and 4 more`."""
    shown, more = list(items[:most]), len(items) - most
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def counted(count: int, one: str) -> str:
    """`1 change`, `3 changes`."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def writer_text(writer: str) -> str:
    """`source main @ 4711` -> `source main, position 4711`; a handler: `by pace_campaign v2`."""
    return writer.replace(" @ ", ", position ") if writer.startswith("source ") else f"by {writer}"
