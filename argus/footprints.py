"""What is noted of the rows that a build reads: of each its key and the commit timestamps of its versions, encoded.

It is noted once for as long as a row is kept (argus.shared_rows); a document's lineage is then a join of bytes.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TypeVar

from proto.codec import source_end
from proto.record import encode

Value = TypeVar("Value")

_EMPTY = b"\x90"
_SHORT = [bytes([0x90 | count]) for count in range(16)]


def array_header(count: int) -> bytes:
    """What a msgpack array of so many elements begins with."""
    if count < 16:
        return _SHORT[count]
    return b"\xdc" + count.to_bytes(2, "big") if count < 65536 else b"\xdd" + count.to_bytes(4, "big")


def footprints(keys: Sequence[bytes], versions: Sequence[Sequence[int]], prefix: bytes) -> Iterator[bytes]:
    """Of each row. versions: of the rows, for each group (argus.lineage.RowRead). prefix: the encoded source of all of
    them; b"": they are of several."""
    length = len(prefix)
    shown = [key[length or source_end(key) :] for key in keys]
    return map(encode, zip(shown, *versions, strict=True))


def of_nothing(groups: int) -> bytes:
    """In place of a row that no reference leads to. groups: how many it would have."""
    return encode((None, *[0] * groups))


def of_lists(found: Sequence[bytes], counts: Sequence[int]) -> list[bytes]:
    """For each document an array of its rows. found: of all rows; counts: how many belong to each document."""
    return [array_header(len(part)) + b"".join(part) if part else _EMPTY for part in grouped(found, counts)]


def grouped(values: Sequence[Value], counts: Sequence[int]) -> list[Sequence[Value]]:
    """One list a document, of those of all of them."""
    ends = list(accumulate(counts, initial=0))
    return [values[start:end] for start, end in pairwise(ends)]
