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
from proto.record import SignalReading
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


class SignalRead(NamedTuple):
    """What a signal said when the document was built, without the values; see SignalReading."""

    key: Any
    state: str
    version: int
    fetched_ms: float

    @property
    def is_used(self) -> bool:
        """Its values are in the document."""
        return self.state in _USED


class Lineage(NamedTuple):
    """What one build has read. at: commit timestamp of the first build that read exactly this; places: rows in the
    order of Outline.places; signals: in the order of Outline.signals, none for a tombstone."""

    at: int
    generation: int
    places: tuple[tuple[RowRead, ...], ...]
    own: tuple[OwnRead, ...]
    signals: tuple[SignalRead, ...]


class _Stored(msgspec.Struct, array_like=True):
    generation: int
    places: list[list[Any]]
    own: list[tuple[str, str, bytes, dict[str, int]]] | None
    signals: list[tuple[Any, str, int, float]] | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode
_NOTHING = _encode(None)
_USED = ("fresh", "last_good")


class LineageEncoder:
    """Encodes what the builds of one generation have read. places: how many a document type has."""

    def __init__(self, generation: int, places: int) -> None:
        self._head = array_header(4) + _encode(generation) + array_header(places)

    def encode(
        self, footprints: Sequence[bytes], own: Sequence[OwnRead], signals: Sequence[SignalReading] | None
    ) -> bytes:
        """footprints: of one document (Fetched). signals: None where there are none."""
        if not own and not signals:
            return b"".join((self._head, *footprints, _NOTHING, _NOTHING))
        read = _encode(own) if own else _NOTHING
        return b"".join((self._head, *footprints, read, _signals(signals) if signals else _NOTHING))


def decode_lineage(document: bytes, version: Version) -> Lineage:
    """document: its key. All rows at its places are of the same source, which they don't repeat."""
    stored = _decode(version.value or b"")
    source = document[: source_end(document)]
    places = tuple(
        tuple(_row(source, row) for row in (noted if not noted or isinstance(noted[0], list) else [noted]))
        for noted in stored.places
    )
    own = tuple(OwnRead(*read) for read in stored.own or ())
    signals = tuple(SignalRead(*read) for read in stored.signals or ())
    return Lineage(version.commit_timestamp, stored.generation, places, own, signals)


def signals_used(readings: Sequence[SignalReading] | None) -> tuple[tuple[str, int], ...] | None:
    """(signal, version) of those whose values are in a document; None: of none."""
    used = tuple([(one.signal, one.version) for one in readings or () if one.state in _USED])
    return used or None


def _signals(readings: Sequence[SignalReading]) -> bytes:
    return _encode([(one.key, one.state, one.version, one.fetched_ms) for one in readings])


def _row(source: bytes, noted: list[Any]) -> RowRead:
    key, *versions = noted
    return RowRead(None if key is None else source + key, tuple(versions))
