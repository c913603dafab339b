"""A document as a reader gets it: decoded when it is asked for, never before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from proto.record import Schema, decode_document


@dataclass(frozen=True, slots=True)
class ServedDocument:
    """One version of one document.

    key        encoded (proto.codec)
    sequence   commit timestamp of this content; higher is newer
    servable   what the flows file's condition said when it was built; a reader that ignores it serves paused ads
    missing    names of what the build did not find (a parent that isn't there, a row that is parked)
    fields     stored values by name: decimals, dates and datetimes as text (proto.values)
    """

    type: str
    key: bytes
    sequence: int
    servable: bool
    missing: tuple[str, ...]
    fields: dict[str, Any]


class _Head(msgspec.Struct, array_like=True, gc=False):
    """The beginning of a DocumentRecord; its values stay encoded."""

    schema: int
    values: msgspec.Raw


_decode_head = msgspec.msgpack.Decoder(_Head).decode
_decode_schema = msgspec.msgpack.Decoder(Schema).decode
_NIL = b"\xc0"


def is_tombstone(content: bytes) -> bool:
    """True when the document is deleted; costs a fraction of decoding it."""
    return bytes(_decode_head(content).values) == _NIL


def decode_served(
    document_type: str, key: bytes, sequence: int, content: bytes, schemas: Mapping[int, tuple[str, ...]]
) -> ServedDocument | None:
    """None for a tombstone. Raises KeyError for an unknown schema."""
    record = decode_document(content)
    if record.values is None:
        return None
    fields = dict(zip(schemas[record.schema], record.values, strict=True))
    return ServedDocument(document_type, key, sequence, record.servable, tuple(record.missing or ()), fields)


def decode_schema(content: bytes) -> Schema:
    """The content of a "schema" message."""
    return _decode_schema(content)
