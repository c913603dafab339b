"""The half of lineage that each build records: which versions of which rows it has really read.

It is stored in a group beside the content, and only when it differs from what the build before has read. Together with
the outline of its generation (argus.outline) it says of each field where it comes from. Garbage: its old versions go as
old content goes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from argus.footprints import array_header
from proto.codec import source_end
from repo.api import Version


class RowRead(NamedTuple):
    """A row that a build has read. key None: the reference that leads to it was NULL.

    versions: commit timestamps, by group in the order of Place.groups; negative: of its deletion; 0: it never was.
    """

    key: bytes | None
    versions: tuple[int, ...]


class OwnRead(NamedTuple):
    """A row that an asynchronous field has read by itself. versions: by group, as in RowRead."""

    field: str
    table: str
    key: bytes
    versions: Mapping[str, int]


class Lineage(NamedTuple):
    """What one build has read. at: commit timestamp of the first build that read exactly this; places: rows in the
    order of Outline.places."""

    at: int
    generation: int
    places: tuple[tuple[RowRead, ...], ...]
    own: tuple[OwnRead, ...]


class _Stored(msgspec.Struct, array_like=True):
    generation: int
    places: list[list[Any]]
    own: list[tuple[str, str, bytes, dict[str, int]]] | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode
_NOTHING = _encode(None)


class LineageEncoder:
    """Encodes what the builds of one generation have read. places: how many a document type has."""

    def __init__(self, generation: int, places: int) -> None:
        self._head = array_header(3) + _encode(generation) + array_header(places)

    def encode(self, footprints: bytes, own: Sequence[OwnRead]) -> bytes:
        """footprints: of one document (argus.footprints)."""
        return self._head + footprints + (_encode(own) if own else _NOTHING)


def decode_lineage(document: bytes, version: Version) -> Lineage:
    """document: its key. All rows at its places are of the same source, which they don't repeat."""
    stored = _decode(version.value or b"")
    source = document[: source_end(document)]
    places = tuple(
        tuple(_row(source, row) for row in (noted if not noted or isinstance(noted[0], list) else [noted]))
        for noted in stored.places
    )
    own = tuple(OwnRead(*read) for read in stored.own or ())
    return Lineage(version.commit_timestamp, stored.generation, places, own)


def _row(source: bytes, noted: list[Any]) -> RowRead:
    key, *versions = noted
    return RowRead(None if key is None else source + key, tuple(versions))
