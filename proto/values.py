"""Column types: how a raw database value becomes a stored value, and how a handler sees it.

Stored values are what msgpack and JSON both have: None, bool, int, float, str, bytes, list, dict. Decimals,
dates and datetimes are stored as text, in the form in which the command line prints them, so that a plain copy costs
nothing.
"""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

import msgspec

from proto.errors import ValueTypeError

ColumnType = Literal["int", "float", "decimal", "bool", "str", "bytes", "date", "datetime", "json"]
COLUMN_TYPES: tuple[str, ...] = get_args(ColumnType)
Stored = Any  # None | bool | int | float | str | bytes | list | dict, see above

_INT64_MAX = 2**63 - 1
_DECIMAL_EXPONENT_MAX = 6144  # as in IEEE 754's decimal128; 1e999999999 would be written out as a gigabyte of zeros
_MISFITS = (
    ValueError, KeyError, TypeError, AttributeError, InvalidOperation, OverflowError, RecursionError, UnicodeError,
    OSError, msgspec.DecodeError,
)  # fmt: skip
"""What the conversions below raise for a value that does not fit; RecursionError: JSON nested too deep; OSError: a
time that the platform can't hold."""


def coerce(kind: str, raw: Any) -> Stored:
    """A raw value from a database driver -> the stored form. Raises ValueTypeError, which names value and type."""
    if raw is None:
        return None
    try:
        return _COERCE[kind](raw)
    except _MISFITS:
        raise ValueTypeError(f"{_shown(raw)} is not {_A[kind]}") from None


def to_python(kind: str, stored: Stored) -> Any:
    """The stored form -> what a handler gets: Decimal, date, aware UTC datetime; the rest as it is."""
    if stored is None:
        return None
    convert = CONVERT.get(kind)
    return convert(stored) if convert else stored


def from_python(value: Any) -> Stored:
    """What a handler returned -> the stored form. Raises ValueTypeError for what can't be stored."""
    if value is None or type(value) in (bool, bytes):
        return value
    if type(value) is str:
        return value if value.isascii() or _is_text(value) else _refuse(value, "text: it holds half a character")
    if type(value) is int:
        return value if -_INT64_MAX - 1 <= value <= _INT64_MAX else _refuse(value, "a 64-bit integer")
    if type(value) is float:
        return value if math.isfinite(value) else _refuse(value, "a finite number")
    if isinstance(value, Decimal):
        return format(value, "f") if _is_moderate(value) else _refuse(value, "a finite decimal of moderate size")
    if isinstance(value, datetime):
        return _datetime(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [from_python(item) for item in value]
    if isinstance(value, dict):
        return {str(key): from_python(item) for key, item in value.items()}
    if isinstance(value, bool | int | float | str):  # subclasses: enums, numpy-like scalars
        return from_python(_base(value))
    return _refuse(
        value, "something that can be stored (None, bool, int, float, str, bytes, Decimal, date, datetime, list, dict)"
    )


def _base(value: Any) -> Any:
    return next(kind(value) for kind in (bool, int, float, str) if isinstance(value, kind))


def _refuse(value: Any, wanted: str) -> Any:
    raise ValueTypeError(f"{_shown(value)} is not {wanted}")


def _shown(value: Any) -> str:
    text = repr(value)
    return f"{text[:60]}... ({type(value).__name__})" if len(text) > 60 else f"{text} ({type(value).__name__})"


def _int(raw: Any) -> int:
    value = int(raw) if not isinstance(raw, float) or raw.is_integer() else None
    if value is None or isinstance(raw, bytes) or not -_INT64_MAX - 1 <= value <= _INT64_MAX:
        raise ValueError
    return value


def _float(raw: Any) -> float:
    value = float(raw)
    if not math.isfinite(value) or isinstance(raw, bytes):
        raise ValueError
    return value


def _decimal(raw: Any) -> str:
    value = Decimal(raw.strip() if isinstance(raw, str) else repr(raw) if isinstance(raw, float) else raw)
    if not _is_moderate(value) or isinstance(raw, bytes):
        raise ValueError
    return format(value, "f")


def _is_moderate(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) <= _DECIMAL_EXPONENT_MAX


def _bool(raw: Any) -> bool:
    return _BOOLS[str(raw).strip().lower()] if not isinstance(raw, bytes) else _refuse(raw, "a bool")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _str(raw: Any) -> str:
    if isinstance(raw, bytes):
        raise TypeError
    value = raw if isinstance(raw, str) else str(raw)
    value.encode()
    return value


def _bytes(raw: Any) -> bytes:
    return raw if isinstance(raw, bytes) else raw.encode() if isinstance(raw, str) else bytes(memoryview(raw))


def _date(raw: Any) -> str:
    if isinstance(raw, datetime):
        return raw.date().isoformat()
    if isinstance(raw, date):
        return raw.isoformat()
    text = raw.strip()
    return date.fromisoformat(text[:10] if text[10:].strip(" T0:.Z") == "" else text).isoformat()


def _datetime(raw: Any) -> str:
    if isinstance(raw, bool) or not isinstance(raw, datetime | str | int | float):
        raise TypeError
    if isinstance(raw, str):
        value = datetime.fromisoformat(raw.strip())
    elif isinstance(raw, datetime):
        value = raw
    else:  # a number is seconds since 1970, as SQLite's unixepoch() gives
        value = datetime.fromtimestamp(raw, UTC)
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return value.isoformat() + "Z"


def _json(raw: Any) -> Any:
    if isinstance(raw, str | bytes):
        decoded = msgspec.json.decode(raw)
        return from_python(decoded)
    return from_python(raw)


def _own(stored: Any) -> Any:
    """A copy: a function may change what it is given, and others have the same stored value."""
    if type(stored) is dict:
        return {name: _own(value) for name, value in stored.items()}
    return [_own(value) for value in stored] if type(stored) is list else stored


_BOOLS = {"1": True, "true": True, "t": True, "1.0": True, "0": False, "false": False, "f": False, "0.0": False}
_COERCE: dict[str, Callable[[Any], Stored]] = {
    "int": _int, "float": _float, "decimal": _decimal, "bool": _bool, "str": _str,
    "bytes": _bytes, "date": _date, "datetime": _datetime, "json": _json,
}  # fmt: skip
_A = {
    "int": "a 64-bit integer", "float": "a finite number", "decimal": "a decimal number", "bool": "a bool (0 or 1)",
    "str": "text", "bytes": "bytes", "date": "a date (YYYY-MM-DD)", "datetime": "a datetime (ISO 8601)", "json": "JSON",
}  # fmt: skip

CONVERT: dict[str, Callable[[Any], Any]] = {
    "decimal": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "json": _own,
}
"""Types whose stored form is not what a handler gets."""
