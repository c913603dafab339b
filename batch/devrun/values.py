"""Two values of a field, compared: are they the same content, as a number, and how far are they apart."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

_encode = msgspec.msgpack.Encoder().encode
_TYPES = {"NoneType": "null", "str": "str", "dict": "object"}
_CATEGORY_CHARACTERS_MAX = 80
_to_json = msgspec.json.Encoder().encode


class Difference(NamedTuple):
    """size: 0..2, for "largest first": a change of sign is above a change of kind, that above a change of amount."""

    size: float
    amount: float


def same(before: Any, after: Any) -> bool:
    """Whether they are stored and published as the same bytes."""
    if type(before) in (str, bool, int, bytes) or before is None:
        return type(before) is type(after) and bool(before == after)
    return bool(_encode(before) == _encode(after))


def number_of(value: Any, kind: str) -> float | None:
    """The value on a line: numbers, decimals, dates and datetimes (seconds since 1970); None for all else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and kind in ("decimal", "date", "datetime"):
        try:
            return float(value) if kind == "decimal" else _seconds(value)
        except ValueError:
            return None
    return None


def difference(before: Any, after: Any, kind: str) -> Difference:
    """How far apart two values that are not the same are."""
    if before is None or after is None or type(before) is not type(after):
        return Difference(1.0, 0.0)
    old, new = number_of(before, kind), number_of(after, kind)
    if old is None or new is None:
        return Difference(_unlike(before, after), 0.0)
    largest = max(abs(old), abs(new))
    return Difference(abs(new - old) / largest if largest else 0.0, abs(new - old))


def type_name(value: Any) -> str:
    """Of a stored value, for people: int, float, str, list, object, bool, bytes, null."""
    name = type(value).__name__
    return _TYPES.get(name, name)


def category_of(value: Any) -> str:
    """A value as one of a few, for people."""
    if value is None:
        return "NULL"
    text = value if isinstance(value, str) else _to_json(value).decode()
    return text if len(text) <= _CATEGORY_CHARACTERS_MAX else f"{text[:_CATEGORY_CHARACTERS_MAX]}…"


def reordered(before: Any, after: Any) -> bool:
    """Two lists that hold the same, in another order."""
    if not isinstance(before, list) or not isinstance(after, list) or len(before) != len(after):
        return False
    return sorted(map(_encode, before)) == sorted(map(_encode, after))


def _unlike(before: Any, after: Any) -> float:
    """Share of what two lists or texts do not have in common; 1 for anything else."""
    if isinstance(before, list) and isinstance(after, list):
        old, new = set(map(_encode, before)), set(map(_encode, after))
        return 1 - len(old & new) / len(old | new) if old != new else 0.1
    if isinstance(before, str) and isinstance(after, str):
        kept = sum(old == new for old, new in zip(before, after, strict=False))
        return 1 - kept / max(len(before), len(after))
    return 1.0


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
