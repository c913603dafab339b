"""Where a cell lies in LMDB: databases, the bytes of keys and values.

cells    table id (2), encoded key, group id (1), inverted commit timestamp (8) -> value; empty: tombstone.
         So the newest version comes first, a seek with an inverted snapshot finds what that snapshot sees, and all
         groups of a row are neighbours.
         In a large group the value begins with INLINE, or is APART + the key of the value in `values`.
         A group that keeps only the newest version has UNVERSIONED in place of the timestamp, which then lies before
         the value.
values   commit timestamp (8), number in the commit (4) -> value. Written in ascending order: no search, full pages.
index    table id, entry's key -> entry's value
meta     last_timestamp, gc_watermark, gc_position, table/NAME, mark/table id, lease/ID, and the environment's own
         records

A *chain* is the key of a cell without its timestamp: table id, encoded key, group id. Encoded keys are prefix-free, so
no chain is a prefix of another.
"""

from struct import Struct
from typing import NamedTuple

from repo.api import Keep

CELLS, VALUES, INDEX = "cells", "values", "index"
LAST_TIMESTAMP = b"last_timestamp"
INLINE, APART = b"\0", b"\1"
UNVERSIONED = b"\0" * 8
APART_BYTES_MIN = 200  # a smaller value of a large group stays in its cell

TABLE_ID_BYTES = 2
_MARK = b"mark/"

TIMESTAMP_MAX = (1 << 64) - 1
TIMESTAMP = Struct(">Q")
VALUE_KEY = Struct(">QL")


class Layout(NamedTuple):
    """Of one group of one table."""

    table_id: bytes
    group_id: bytes
    keep: Keep
    large: bool


def inverted(timestamp: int) -> bytes:
    """8 bytes that sort the newest first."""
    return TIMESTAMP.pack(TIMESTAMP_MAX - timestamp)


def timestamp_of(cell_key: bytes) -> int:
    """The commit timestamp at the end of a key of `cells`."""
    return TIMESTAMP_MAX - int.from_bytes(cell_key[-8:], "big")


def stored_timestamp(value: bytes | None) -> int:
    """The timestamp that a value begins with; 0 when there is no value."""
    return int.from_bytes(value[:8], "big") if value else 0


def mark_key(table_id: bytes) -> bytes:
    """In `meta`: what changes with each commit to the table."""
    return _MARK + table_id
