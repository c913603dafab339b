"""What is noted of the rows that a build reads: of each its key and the commit timestamps of its versions, encoded.

Rows that many documents share are noted once for as long as they are kept (argus.shared_rows); a document's lineage is
then a join of bytes.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise

from argus.shared_rows import Rows
from proto.codec import source_end
from proto.record import encode

_EMPTY = b"\x90"
_SHORT = [bytes([0x90 | count]) for count in range(16)]


def array_header(count: int) -> bytes:
    """What a msgpack array of so many elements begins with."""
    if count < 16:
        return _SHORT[count]
    return b"\xdc" + count.to_bytes(2, "big") if count < 65536 else b"\xdd" + count.to_bytes(4, "big")


class Footprints:
    """Of one place. groups: its rows by group, in the order in which versions are noted. shared: they are kept."""

    def __init__(self, groups: Sequence[Rows], shared: bool) -> None:
        self._groups, self._shared = groups, shared
        self._versions = [rows.versions for rows in groups]
        self._known: dict[bytes | None, bytes] = {}

    def of(self, keys: Sequence[bytes | None], counts: Sequence[int] | None, prefix: bytes) -> list[bytes]:
        """For each document one element: its row, or with `counts` an array of so many rows. The groups have just read
        these keys. prefix: the encoded source of all of them; b"": they are of several."""
        found = self._kept(keys, prefix) if self._shared else self._noted(keys, prefix)
        if counts is None:
            return found
        ends = accumulate(counts, initial=0)
        return [
            array_header(end - start) + b"".join(found[start:end]) if end > start else _EMPTY
            for start, end in pairwise(ends)
        ]

    def _kept(self, keys: Sequence[bytes | None], prefix: bytes) -> list[bytes]:
        known = self._current()
        missing = list(set(keys).difference(known))
        known.update(zip(missing, self._noted(missing, prefix), strict=True))
        return [known[key] for key in keys]

    def _noted(self, keys: Sequence[bytes | None], prefix: bytes) -> list[bytes]:
        length = len(prefix)
        shown = [None if key is None else key[length or source_end(key) :] for key in keys]
        versions = [[rows.versions.get(key, 0) for key in keys] for rows in self._groups]
        return list(map(encode, zip(shown, *versions, strict=True)))

    def _current(self) -> dict[bytes | None, bytes]:
        """What is noted already; nothing when the rows were read anew."""
        if any(known is not rows.versions for known, rows in zip(self._versions, self._groups, strict=True)):
            self._versions = [rows.versions for rows in self._groups]
            self._known = {}
        return self._known
