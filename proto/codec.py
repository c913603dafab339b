"""Order-preserving encoding of tuples: encoded keys compare as the tuples do, and none is a prefix of another.

The idea is FoundationDB's tuple layer: a tag per element, so that types sort apart and NULL sorts first.
"""

import struct
from decimal import Decimal
from functools import lru_cache
from typing import Any

from proto.errors import InvalidMessageError

Scalar = int | str | bytes | bool | float | Decimal | None
KEY_BYTES_MAX = 400

_END, _NULL, _BYTES, _STR, _INT, _FLOAT, _DECIMAL, _FALSE, _TRUE = 0, 1, 2, 3, 4, 5, 6, 7, 8
_INT64 = struct.Struct(">BQ")
_BIAS = 1 << 63


def encode_scalar(value: Scalar) -> bytes:
    """One element. Raises InvalidMessageError for a type or a number that has no encoding."""
    if type(value) is int:
        if not -_BIAS <= value < _BIAS:
            raise InvalidMessageError(f"integer {value} does not fit in 64 bits")
        return _INT64.pack(_INT, value + _BIAS)
    if type(value) is str:
        return b"\x03" + _utf8(value).replace(b"\0", b"\0\xff") + b"\0"
    if value is None:
        return b"\x01"
    if isinstance(value, bool):
        return b"\x08" if value else b"\x07"
    if isinstance(value, bytes):
        return b"\x02" + value.replace(b"\0", b"\0\xff") + b"\0"
    if isinstance(value, float):
        return b"\x05" + _encode_float(value)
    if isinstance(value, Decimal):
        return b"\x06" + _encode_decimal(value)
    raise InvalidMessageError(f"a {type(value).__name__} cannot be part of a key")


def encode_key(values: tuple[Scalar, ...]) -> bytes:
    """A whole key. Raises InvalidMessageError when it is longer than KEY_BYTES_MAX."""
    encoded = b"".join([encode_scalar(value) for value in values]) + b"\0"
    if len(encoded) > KEY_BYTES_MAX:
        raise InvalidMessageError(f"key {str(values)[:60]}... takes {len(encoded)} bytes; at most {KEY_BYTES_MAX} fit")
    return encoded


def decode_key(encoded: bytes) -> tuple[Any, ...]:
    """The inverse of encode_key."""
    values: list[Any] = []
    at = 0
    while encoded[at] != _END:
        value, at = _decode_one(encoded, at)
        values.append(value)
    return tuple(values)


@lru_cache(maxsize=1024)
def source_prefix(source: str) -> bytes:
    """What the keys of all rows of one source begin with."""
    return encode_scalar(source)


def source_end(key: bytes) -> int:
    """How many bytes of an encoded key are its source."""
    end = key.index(0, 1)
    while key[end + 1] == 0xFF:
        end = key.index(0, end + 2)
    return end + 1


def descending(encoded: bytes) -> bytes:
    """The encoding that sorts the other way round; still prefix-free."""
    return bytes(255 - byte for byte in encoded)


def successor(prefix: bytes) -> bytes | None:
    """The least byte string above everything that begins with `prefix`; None when there is none."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None


def _decode_one(encoded: bytes, at: int) -> tuple[Any, int]:
    tag = encoded[at]
    at += 1
    if tag == _INT:
        return int.from_bytes(encoded[at : at + 8], "big") - _BIAS, at + 8
    if tag in (_STR, _BYTES):
        raw, at = _take_escaped(encoded, at)
        return (raw.decode() if tag == _STR else raw), at
    if tag == _NULL:
        return None, at
    if tag in (_FALSE, _TRUE):
        return tag == _TRUE, at
    if tag == _FLOAT:
        return _decode_float(encoded[at : at + 8]), at + 8
    if tag == _DECIMAL:
        return _decode_decimal(encoded, at)
    raise InvalidMessageError(f"not an encoded key: tag {tag} in {encoded.hex()}")


def _take_escaped(encoded: bytes, at: int) -> tuple[bytes, int]:
    start = at
    while True:
        at = encoded.index(b"\0", at)
        if encoded[at + 1 : at + 2] != b"\xff":
            return encoded[start:at].replace(b"\0\xff", b"\0"), at + 1
        at += 2


def _utf8(value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise InvalidMessageError(f"{value[:60]!r} holds half a character and cannot be part of a key") from None


def _encode_float(value: float) -> bytes:
    if value != value:
        raise InvalidMessageError("NaN cannot be part of a key")
    bits = int.from_bytes(struct.pack(">d", value + 0.0), "big")
    return (bits ^ (2**64 - 1) if bits >> 63 else bits | _BIAS).to_bytes(8, "big")


def _decode_float(encoded: bytes) -> float:
    bits = int.from_bytes(encoded, "big")
    plain = bits ^ _BIAS if bits >> 63 else bits ^ (2**64 - 1)
    value: float = struct.unpack(">d", plain.to_bytes(8, "big"))[0]
    return value


def _encode_decimal(value: Decimal) -> bytes:
    """Sign, then exponent of the first digit, then digits; all inverted for negative numbers."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise InvalidMessageError(f"{value} cannot be part of a key")
    last = next((at for at in range(len(digits), 0, -1) if digits[at - 1]), 0)
    if last == 0:
        return b"\x01"
    first = next(at for at in range(last) if digits[at])
    point = len(digits) - first + exponent
    if not -32768 <= point < 32768:
        raise InvalidMessageError(f"a decimal with the exponent {exponent} cannot be part of a key")
    body = struct.pack(">H", point + 32768) + bytes([digit + 1 for digit in digits[first:last]]) + b"\0"
    return b"\x00" + descending(body) if sign else b"\x02" + body


def _decode_decimal(encoded: bytes, at: int) -> tuple[Decimal, int]:
    kind = encoded[at]
    at += 1
    if kind == 1:
        return Decimal(0), at
    mask = 0xFF if kind == 0 else 0
    point = ((encoded[at] ^ mask) << 8 | (encoded[at + 1] ^ mask)) - 32768
    at += 2
    digits = []
    while encoded[at] ^ mask:
        digits.append((encoded[at] ^ mask) - 1)
        at += 1
    return Decimal((int(kind == 0), tuple(digits), point - len(digits))), at + 1
