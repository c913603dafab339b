"""SQLite's values as the command line prints them in JSON; written apart from the product, which it checks."""

import json
from base64 import b64encode
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

Convert = Callable[[Any], Any]


def converters(description: Any) -> list[tuple[str, Convert | None]]:
    """A cursor's description -> (name, conversion) of each column; `budget [decimal]` names column and conversion."""
    split = [column[0].partition(" [") for column in description]
    return [(name, _CONVERSIONS[kind.rstrip("]")] if kind else None) for name, _, kind in split]


def decimal_text(value: Any) -> str:
    """A DECIMAL column holds whatever number SQLite made of it: 12, 12.5."""
    return format(Decimal(repr(value) if isinstance(value, float) else value), "f")


def datetime_text(value: str) -> str:
    """`2026-01-02 03:04:05.123` -> `2026-01-02T03:04:05.123000Z`; the database holds UTC."""
    seconds, dot, fraction = value.replace(" ", "T").partition(".")
    return f"{seconds}.{fraction:0<6}Z" if dot and int(fraction) else f"{seconds}Z"


_CONVERSIONS: dict[str, Convert] = {
    "decimal": decimal_text,
    "datetime": datetime_text,
    "json": lru_cache(maxsize=10_000)(json.loads),
    "bytes": lambda value: b64encode(value).decode(),
    "bool": bool,
}
