"""Cell ids as Omid's client makes them: what the oracle compares to find conflicts."""

from struct import Struct

import mmh3

_ID = Struct(">q")


def cell_id(table: bytes, row: bytes, family: bytes, qualifier: bytes) -> int:
    """The first 64 bits of murmur3-128 (x64, seed 0) over the four, without separators; signed (Omid's HBaseCellId,
    TTable)."""
    first: int = mmh3.hash64(table + row + family + qualifier, 0, True)[0]
    return first


def lone_cell_id(id: int) -> int:
    """A cell that no other transaction writes, for one that writes nothing that could conflict: the oracle, as Omid's,
    refuses an empty write set."""
    first: int = mmh3.hash64(b"transaction" + _ID.pack(id), 0, True)[0]
    return first
