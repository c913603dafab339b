"""Raw rows of a source unit -> encoded keys and stored values by group; compiled once for each table and list of
columns.

Most values already have the type in which they are stored. So the conversions that a row needs are looked up by the
types of its values: a row of a pattern that was seen before costs one look-up, and calls only for the values that
really have to be converted.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from math import isfinite
from operator import itemgetter
from typing import Any, NamedTuple

from proto.codec import KEY_BYTES_MAX, encode_scalar, source_prefix
from proto.errors import InvalidMessageError, ValueTypeError
from proto.values import coerce
from updater.layout import TableLayout

RawRow = tuple[Any, ...]
Values = list[list[Any]]
"""Stored values of a row: a list a group, aligned with the group's columns."""

GoodRow = tuple[bytes, Values]
"""Encoded key and stored values."""

_PATTERNS_MAX = 4096  # types of values, as tuples: two for each nullable column at worst; forgotten when there are more
_INT64_MAX = 2**63 - 1
_AS_STORED = {"int": int, "str": str, "bytes": bytes}
_REPEATING = ("bool", "decimal", "date", "datetime")  # slow to convert, and the same values come again and again


class _Pattern(NamedTuple):
    """What rows with the same types of values need. integers, floats: pick those whose range must be looked at."""

    conversions: tuple[tuple[int, Callable[[Any], Any]], ...]
    integers: Callable[[Sequence[Any]], tuple[int, ...]] | None
    floats: Callable[[Sequence[Any]], tuple[float, ...]] | None


class Fault(NamedTuple):
    """Why a row can't be stored. column: those to blame, with commas between; "": none in particular."""

    column: str
    reason: str


class Extractor:
    """For one table and one list of raw columns.

    lacking: places of the table's columns that the unit does not bring (it was captured before they were added):
    stored values stay.
    """

    def __init__(self, layout: TableLayout, columns: tuple[str, ...]) -> None:
        """Raises InvalidMessageError when a key column is not among the columns."""
        table = layout.table
        absent = [name for name in table.key if name not in columns]
        if absent:
            raise InvalidMessageError(f"rows of table {table.name!r} came without their key column {absent[0]!r}")
        at = {name: number for number, name in enumerate(columns)}
        self._columns = columns
        self._kinds = [table.columns[name].type if name in layout.places else "" for name in columns]
        self._keys = tuple(at[name] for name in table.key)
        self._only_key = self._keys[0] if len(self._keys) == 1 else None
        self._fills = any(name not in at for name in layout.places)
        self._picks = [_picker([at.get(name, len(columns)) for name in group.columns]) for group in layout.groups]
        self._patterns: dict[tuple[type, ...], _Pattern] = {}
        self.lacking = tuple(place for name, place in layout.places.items() if name not in at)

    def extract(self, rows: Iterable[RawRow], source: bytes) -> tuple[list[GoodRow], list[RawRow]]:
        """The rows that can be stored, and those that can't, of which `fault` tells why. source: its encoded name."""
        known, picks, keys, only_key = self._patterns.get, self._picks, self._keys, self._only_key
        good: list[GoodRow] = []
        bad: list[RawRow] = []
        for raw in rows:
            try:
                conversions, integers, floats = known(tuple(map(type, raw))) or self._new_pattern(raw)
                row: Sequence[Any] = raw
                if conversions:
                    row = converted = list(raw)
                    for at, convert in conversions:
                        converted[at] = convert(converted[at])
                if integers is not None and max(integers(row)) > _INT64_MAX:
                    raise ValueTypeError("an integer does not fit in 64 bits")
                if floats is not None and not all(map(isfinite, floats(row))):
                    raise ValueTypeError("a float is not a finite number")
                if only_key is None:
                    key = source + b"".join([encode_scalar(row[at]) for at in keys]) + b"\0"
                else:
                    key = source + encode_scalar(row[only_key]) + b"\0"
                if len(key) > KEY_BYTES_MAX:
                    raise InvalidMessageError("the key is too long")
                if self._fills:
                    row = [*row, None]
                good.append((key, [list(pick(row)) for pick in picks]))
            except InvalidMessageError:
                bad.append(raw)
        return good, bad

    def key(self, raw: RawRow, source: bytes) -> bytes:
        """Only the key, of a row whose other values may be bad. Raises InvalidMessageError."""
        if len(raw) != len(self._columns):
            raise InvalidMessageError(f"the row has {len(raw)} values for {len(self._columns)} columns")
        return _encoded(source, [_key_value(self._kinds[at], raw[at]) for at in self._keys])

    def raw_key(self, raw: RawRow) -> RawRow:
        """The key's values as they came, as far as there are any."""
        return tuple(raw[at] for at in self._keys if at < len(raw))

    def fault(self, raw: RawRow) -> Fault:
        """What is wrong with a row that `extract` refused: the slow way, column by column."""
        if len(raw) != len(self._columns):
            return Fault("", f"the row has {len(raw)} values for {len(self._columns)} columns")
        faults: dict[str, str] = {}
        for at, (name, kind) in enumerate(zip(self._columns, self._kinds, strict=True)):
            try:
                if at in self._keys:
                    encode_scalar(_key_value(kind, raw[at]))
                elif kind:
                    coerce(kind, raw[at])
            except InvalidMessageError as error:
                faults[name] = f"column {name!r}: {error}"
        if faults:
            return Fault(", ".join(faults), "; ".join(faults.values()))
        try:
            self.key(raw, b"")
        except InvalidMessageError as error:
            return Fault(self._columns[self._keys[0]], str(error))
        return Fault(self._columns[self._keys[0]], f"the key, with its source's name, is above {KEY_BYTES_MAX} bytes")

    def _new_pattern(self, raw: RawRow) -> _Pattern:
        if len(raw) != len(self._columns):
            raise InvalidMessageError(f"the row has {len(raw)} values for {len(self._columns)} columns")
        if len(self._patterns) >= _PATTERNS_MAX:
            self._patterns.clear()
        types = tuple(map(type, raw))
        conversions: list[tuple[int, Callable[[Any], Any]]] = []
        integers: list[int] = []
        floats: list[int] = []
        for at, (kind, found) in enumerate(zip(self._kinds, types, strict=True)):
            if at in self._keys and found is type(None):
                conversions.append((at, partial(_key_value, kind)))
            elif kind == "int" and found is int:
                integers.append(at)
            elif kind == "float" and found is float:
                floats.append(at)
            elif kind and found is not type(None) and found is not _AS_STORED.get(kind):
                conversions.append((at, _converter(kind, found)))
        pattern = self._patterns[types] = _Pattern(tuple(conversions), _several(integers), _several(floats))
        return pattern


def deleted_key(layout: TableLayout, raw: RawRow, source: str) -> bytes:
    """Key of a row that is gone, from its raw key values. Raises InvalidMessageError."""
    table = layout.table
    if len(raw) != len(table.key):
        raise InvalidMessageError(f"the key has {len(raw)} values for the key columns {', '.join(table.key)}")
    values = [_key_value(table.columns[name].type, value) for name, value in zip(table.key, raw, strict=True)]
    return _encoded(source_prefix(source), values)


def _encoded(source: bytes, values: Sequence[Any]) -> bytes:
    encoded = source + b"".join(map(encode_scalar, values)) + b"\0"
    if len(encoded) > KEY_BYTES_MAX:
        raise InvalidMessageError(f"the key takes {len(encoded)} bytes; at most {KEY_BYTES_MAX} fit")
    return encoded


def _key_value(kind: str, raw: Any) -> Any:
    if raw is None:
        raise ValueTypeError("a key column is NULL")
    return coerce(kind, raw)


def _picker(positions: list[int]) -> Callable[[Sequence[Any]], Iterable[Any]]:
    first = positions[0]
    if positions == list(range(first, first + len(positions))):
        return itemgetter(slice(first, first + len(positions)))  # a slice is quickest, and always gives a sequence
    return itemgetter(*positions)


def _several(positions: list[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]] | None:
    return itemgetter(*positions, positions[0]) if positions else None  # always more than one: always a tuple


@lru_cache(maxsize=64)
def _converter(kind: str, found: type) -> Callable[[Any], Any]:
    convert = partial(coerce, kind)
    if kind in _REPEATING and found in (str, int, float):
        return lru_cache(maxsize=4096, typed=True)(convert)
    return convert
