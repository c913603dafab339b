"""What a field's function returns -> the form in which it is stored, as far as its annotation allows it."""

import types as python_types
import typing
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from argus.api import FieldSpec
from proto.errors import FlowsError, ValueTypeError
from proto.values import from_python

INT64 = 2**63
"""An int is stored as it is if -INT64 <= it < INT64."""

_TEXTS = frozenset((str, bool, type(None)))  # a list of these is stored as it is
_PLAIN: tuple[type, ...] = (bool, int, str, bytes, type(None))


def result_check(spec: FieldSpec, name: str) -> Callable[[Any], Any]:
    """What a function returned -> the stored form. Raises ValueTypeError when its annotation or the store forbids
    it."""
    allowed = _allowed(_return_type(spec, name))
    plain = _plain(allowed)
    lists = allowed is None or list in allowed
    shown = "" if allowed is None else " | ".join("None" if kind is type(None) else kind.__name__ for kind in allowed)

    def check(value: Any) -> Any:
        kind = type(value)
        if kind in plain and (kind is not int or -INT64 <= value < INT64):
            return value
        if kind is list and lists and _TEXTS.issuperset(map(type, value)):
            return value
        if allowed is not None and not isinstance(value, allowed):
            raise ValueTypeError(f"field {name!r} returned {value!r} ({kind.__name__}), but is declared {shown}")
        return from_python(value)

    return check


def plain_classes(spec: FieldSpec, name: str) -> frozenset[type]:
    """Classes of results that are stored as they are, without a call of `result_check`'s function; int: see INT64."""
    return _plain(_allowed(_return_type(spec, name)))


def _plain(allowed: tuple[type, ...] | None) -> frozenset[type]:
    return frozenset(kind for kind in _PLAIN if allowed is None or kind in allowed)


def _return_type(spec: FieldSpec, name: str) -> Any:
    try:
        return typing.get_type_hints(spec.function).get("return", Any)
    except NameError as error:
        code = spec.function.__code__
        hint = "import it where the function can see it at run time, not under TYPE_CHECKING"
        message = f"field {name!r}: an annotation of {spec.name} can't be resolved: {error}"
        raise FlowsError(message, file=code.co_filename, line=code.co_firstlineno, hint=hint) from None


def _allowed(annotation: Any) -> tuple[type, ...] | None:
    """Classes that an annotation allows; None: anything."""
    if annotation is None or annotation is type(None):
        return (type(None),)
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, python_types.UnionType):
        parts = [_allowed(part) for part in typing.get_args(annotation)]
        known = [part for part in parts if part is not None]
        return tuple(kind for part in known for kind in part) if len(known) == len(parts) else None
    if origin is typing.Literal:
        return tuple({type(value) for value in typing.get_args(annotation)})
    kind = origin or annotation
    if kind is float:
        return (float, int)
    return (kind,) if kind in (bool, int, str, bytes, Decimal, date, datetime, list, dict, tuple) else None
