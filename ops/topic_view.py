"""Messages of any topic, as people and scripts see them."""

from collections.abc import Callable
from typing import Any

import msgspec

from ops.document_view import json_value
from proto.codec import decode_key
from proto.errors import InvalidMessageError
from proto.events import (
    DOCUMENTS,
    NOTIFICATIONS,
    PUBLICATIONS,
    UPDATES,
    decode_delta,
    decode_document_changes,
    decode_notification,
    decode_shortcut_row,
    decode_unit,
)

View = dict[str, Any]


def message_view(topic: str) -> Callable[[bytes], View]:
    """What makes JSON of a message of this topic: of a short cut's, or of one that the parts use among themselves.

    It raises InvalidMessageError for a message that is of another kind.
    """
    decode = _DECODERS.get(topic.partition(".")[0], _shortcut)

    def view(value: bytes) -> View:
        try:
            return decode(value)
        except msgspec.DecodeError as error:
            raise InvalidMessageError(f"topic {topic!r} holds a message that can't be shown: {error}") from None

    return view


def _shortcut(value: bytes) -> View:
    """Of two of one source and id the one with the higher (incarnation, position) counts."""
    row = decode_shortcut_row(value)
    return {
        "table": row.table,
        "id": row.key[0] if len(row.key) == 1 else row.key,
        "source": row.source,
        "incarnation": row.incarnation,
        "position": row.position,
        "deleted": row.columns is None,
        "columns": json_value(row.columns),
        "latency_ms": round(row.capture_ms - row.commit_ms, 3) if row.commit_ms else None,
    }


def _stamped(decoded: tuple[int, msgspec.Struct]) -> View:
    return {"commit_timestamp": decoded[0], **_fields(decoded[1])}


def _fields(message: msgspec.Struct) -> View:
    """Structs become objects, encoded keys what they encode."""
    return {
        name: _key(held) if name in ("key", "keys") else _plain(held)
        for name, held in msgspec.structs.asdict(message).items()
    }


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return _fields(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _key(value: Any) -> Any:
    if isinstance(value, list):
        return [_key(item) for item in value]
    return list(decode_key(value)) if value else None


_DECODERS: dict[str, Callable[[bytes], View]] = {
    UPDATES: lambda value: _fields(decode_unit(value)),
    NOTIFICATIONS: lambda value: _stamped(decode_notification(value)),
    PUBLICATIONS: lambda value: _stamped(decode_document_changes(value)),
    DOCUMENTS: lambda value: _fields(decode_delta(value)),
}
