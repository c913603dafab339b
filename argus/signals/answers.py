"""What a fetcher returned, looked at value by value: whatever is wrong with one key's answer spoils no other's."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import xxhash

from argus.api import Reading
from argus.signals.port import Answer, Key
from proto.errors import InvalidMessageError, ValueTypeError
from proto.flows.model import Signal
from proto.values import coerce, from_python

_INT64_MAX = 2**63 - 1
_NOTHING = Answer(0, None)
_encode = msgspec.msgpack.Encoder().encode


def shape_of(signal: Signal) -> int:
    """31 bits over names and types of the fields: values of another shape are of no use."""
    text = "\0".join(f"{name} {kind}" for name, kind in signal.fields.items())
    return xxhash.xxh32_intdigest(text.encode()) & 0x7FFFFFFF


def checked(signal: Signal, keys: Sequence[Key], returned: Any) -> tuple[dict[Key, Answer], dict[Key, str]]:
    """(good answers, why the others are refused). Answers about other keys are ignored.

    Raises InvalidMessageError when it is no mapping at all.
    """
    if not isinstance(returned, Mapping):
        raise InvalidMessageError(f"it returned {type(returned).__name__}, not a mapping: key -> Reading or None")
    answers: dict[Key, Answer] = {}
    refused: dict[Key, str] = {}
    for key in keys:
        if key not in returned:
            refused[key] = f"there was no answer for key {key!r}"
            continue
        try:
            answers[key] = answer_of(signal, returned[key])
        except InvalidMessageError as error:
            refused[key] = f"key {key!r}: {error}"
    return answers, refused


def answer_of(signal: Signal, reading: Any) -> Answer:
    """Raises InvalidMessageError (ValueTypeError) that names the field. Fields that are left out are NULL; those that
    the flows file does not name are ignored."""
    if reading is None:
        return _NOTHING
    if not isinstance(reading, Reading) or not isinstance(reading.values, Mapping):
        raise InvalidMessageError(f"{_short(reading)} is not a Reading(values, version)")
    version, given = reading.version, reading.values
    if type(version) is not int or not 0 < version <= _INT64_MAX:
        raise InvalidMessageError(f"version {_short(version)} is not a whole number above 0")
    values = tuple([_value(name, kind, given.get(name)) for name, kind in signal.fields.items()])
    size = len(_encode(values))
    if size > signal.value_bytes_max:
        raise InvalidMessageError(f"{size:,} bytes are above value_bytes_max = {signal.value_bytes_max:,}")
    return Answer(version, values)


def _value(name: str, kind: str, raw: Any) -> Any:
    try:
        stored = from_python(raw)
        return stored if kind == "json" else coerce(kind, stored)  # text is JSON already
    except ValueTypeError as error:
        raise ValueTypeError(f"field {name!r}: {error}") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
