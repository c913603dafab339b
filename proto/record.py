"""How the values of a row, or the fields of a document, are stored: positions under a named schema, not a map.

A hundred names a document would cost more bytes than its values. So a record carries the id of its schema, which is
a hash of the column names in order; schemas are stored once (the Repo's `schemas`, and a message in the documents
topic).
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import xxhash


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


class BuildRecord(msgspec.Struct, array_like=True, gc=False):
    """When a document was last built: the snapshot's timestamp, and by which flows generation. The acknowledgement.

    content_hash, lineage_hash: xxh3_64 of what is stored, so that an unchanged document costs no read of its content
    and of its lineage. reads: rows found through ctx.read, as (table, key).
    """

    built_at: int
    generation: int
    content_hash: int = 0
    reads: list[tuple[str, bytes]] | None = None
    lineage_hash: int = 0


encode = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(Record).decode
decode_document = msgspec.msgpack.Decoder(DocumentRecord).decode
decode_build = msgspec.msgpack.Decoder(BuildRecord).decode
