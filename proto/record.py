"""How the values of a row, or the fields of a document, are stored: positions under a named schema, not a map.

A hundred names a document would cost more bytes than its values. So a record carries the id of its schema, which is
a hash of the column names in order; schemas are stored once (the Repo's `schemas`, and a message in the documents
topic).
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import xxhash

DROPPED = "dropped"
"""Why a row is parked whose newest values were dropped on purpose begins with this; nobody was notified of that."""


class Schema(msgspec.Struct, frozen=True, array_like=True):
    """Column names in order. `id` is a hash of them, so that equal lists are one schema everywhere."""

    names: tuple[str, ...]

    @property
    def id(self) -> int:
        """31 bits of xxh32 over the names."""
        return xxhash.xxh32_intdigest("\0".join(self.names).encode()) & 0x7FFFFFFF


class Record(msgspec.Struct, array_like=True, gc=False):
    """One version of one column group of one row.

    values    aligned with the schema; None: the row is deleted (a tombstone), or was never good (see `parked`)
    source    (incarnation, position) of the source unit that wrote it: the version guard; (0, 0) when a handler
              wrote it
    base      commit timestamp at which the columns last changed that `since` does not name; 0: with this version
    since     column position -> commit timestamp of its last change; 0: with this version (a writer can't know its own)
    writer    who wrote it: "" for the updater, else the handler's name and version
    parked    why the newest source row could not be stored (bad value); "" when the values are current
    """

    schema: int
    values: list[Any] | None
    source: tuple[int, int] = (0, 0)
    base: int = 0
    since: dict[int, int] | None = None
    writer: str = ""
    parked: str = ""


class DocumentRecord(msgspec.Struct, array_like=True, gc=False):
    """One version of a document's content: what is compared, stored and published. `values` None: a tombstone."""

    schema: int
    values: Sequence[Any] | None
    servable: bool = False
    missing: list[str] | None = None


class SignalReading(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a signal said about a key, as a document has used it.

    state       "fresh"; "absent": nothing is known about the key, or there is no key; "last_good": older than allowed;
                "pending": was just asked for, the document is built again when the answer comes; "failed": could not be
                had. Only fresh and last_good values are in the document; others are kept for when they are of use again
    version     of the value, as the service counts; 0: it never said anything
    fetched_ms  wall clock when the service was asked
    values      aligned with the signal's fields, in stored form; None: nothing is known about the key
    shape       which fields of which types these are
    """

    signal: str
    key: Any
    state: str
    version: int = 0
    fetched_ms: float = 0.0
    values: tuple[Any, ...] | None = None
    shape: int = 0


class BuildRecord(msgspec.Struct, array_like=True, gc=False):
    """When a document was last built: the snapshot's timestamp, and by which flows generation. The acknowledgement.

    content_hash, lineage_hash: xxh3_64 of what is stored, so that an unchanged document costs no read of its content
    and of its lineage. reads: rows found through ctx.read, as (table, key).
    signals: what the newest attempt to build it has read, one for each signal of the document.
    blocked: "" or why that attempt left the content as it was: "signal_missing NAME", "signal_stale NAME".
    used: (signal, version) of what is in the content.
    """

    built_at: int
    generation: int
    content_hash: int = 0
    reads: list[tuple[str, bytes]] | None = None
    lineage_hash: int = 0
    signals: tuple[SignalReading, ...] | None = None
    blocked: str = ""
    used: tuple[tuple[str, int], ...] | None = None


_NONE = msgspec.Raw(b"\xc0")


class LastBuild(msgspec.Struct, array_like=True, gc=False):
    """A BuildRecord as the next build reads it: what signals said stays encoded, because few builds look at it, and to
    decode it costs more than all the rest."""

    built_at: int
    generation: int
    content_hash: int = 0
    reads: list[tuple[str, bytes]] | None = None
    lineage_hash: int = 0
    signals: msgspec.Raw = _NONE
    blocked: str = ""
    used: msgspec.Raw = _NONE

    def read_signals(self) -> tuple[SignalReading, ...] | None:
        """BuildRecord.signals."""
        readings: tuple[SignalReading, ...] | None = _decode_signals(self.signals)
        return readings

    def read_used(self) -> tuple[tuple[str, int], ...] | None:
        """BuildRecord.used."""
        used: tuple[tuple[str, int], ...] | None = _decode_used(self.used)
        return used


_decode_signals = msgspec.msgpack.Decoder(tuple[SignalReading, ...] | None).decode
_decode_used = msgspec.msgpack.Decoder(tuple[tuple[str, int], ...] | None).decode

encode = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(Record).decode
decode_document = msgspec.msgpack.Decoder(DocumentRecord).decode
decode_build = msgspec.msgpack.Decoder(BuildRecord).decode
decode_last_build = msgspec.msgpack.Decoder(LastBuild).decode
