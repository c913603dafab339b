"""The lineage of one document, resolved: of each field the rows and columns that its last build took it from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from argus.lineage import Lineage, OwnRead, RowRead, decode_lineage
from argus.outline import FieldOrigin, Input, Outline, Place, load_outline
from repo.api import Snapshot
from repo.system import LINEAGE, document_table
from repo.versions import StoredVersions


@dataclass(frozen=True, slots=True)
class Nowhere:
    """Why there is no row: `columns` of this row were NULL, or hold the key of a row that is not there."""

    table: str
    key: bytes
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """One column of one row that a field was made from, or a row that should have been there.

    parameter    of the function that makes the field; "" for a copy
    key          of the row; None: a reference on the way was NULL
    column       "" for the whole row
    state        "read"; "unwritten": the handler that writes the column has not, or has taken it back; "missing": there
                 was no such row (deleted_at: it was deleted, then); "null": a reference was NULL
    row_version  commit timestamp of the version that was read
    changed_at   commit timestamp at which the column last changed before; None: that is not kept any more
    position     (incarnation, position) of the source unit that wrote the version; None: a handler did, or not kept
    writer       who wrote it: a source or a handler with its version; "": not kept
    nowhere      for "missing" and "null": where the way ended
    """

    parameter: str
    path: str
    table: str
    key: bytes | None
    column: str
    state: str
    row_version: int = 0
    changed_at: int | None = None
    position: tuple[int, int] | None = None
    writer: str = ""
    deleted_at: int = 0
    nowhere: Nowhere | None = None


@dataclass(frozen=True, slots=True)
class SignalOrigin:
    """A value of a signal. field: "" for all of them; state, version, fetched_ms: see SignalReading."""

    parameter: str
    path: str
    signal: str
    field: str
    key: Any
    state: str
    version: int
    fetched_ms: float


@dataclass(frozen=True, slots=True)
class FieldLineage:
    """handler: of a computed field; its version. origins: in the order of its inputs, then what it read by itself."""

    name: str
    handler: str
    version: int
    origins: tuple[Origin, ...]
    signals: tuple[SignalOrigin, ...]


@dataclass(frozen=True, slots=True)
class DocumentLineage:
    """at: commit timestamp of the first build that read exactly this. root: version of the root row that was read;
    negative: its deletion, 0: there was none."""

    at: int
    generation: int
    root: int
    fields: tuple[FieldLineage, ...]


def read_lineage(
    snapshot: Snapshot, versions: StoredVersions, document_type: str, key: bytes
) -> DocumentLineage | None:
    """As the snapshot sees it. None: nothing was recorded, or its flows generation is forgotten."""
    (stored,) = snapshot.read(document_table(document_type), LINEAGE, [key])
    if stored is None or stored.value is None:
        return None
    lineage = decode_lineage(key, stored)
    outline = load_outline(snapshot, document_type, lineage.generation)
    if outline is None:
        return None
    resolver = _Resolver(outline, lineage, versions)
    fields = tuple(resolver.field(field) for field in outline.fields)
    return DocumentLineage(lineage.at, lineage.generation, lineage.places[0][0].versions[0], fields)


class _Resolver:
    """Of one document."""

    def __init__(self, outline: Outline, lineage: Lineage, versions: StoredVersions) -> None:
        self._outline, self._lineage, self._versions = outline, lineage, versions

    def field(self, field: FieldOrigin) -> FieldLineage:
        origins = [origin for one in field.inputs if not one.is_signal for origin in self._origins(one)]
        origins += [self._own(read) for read in self._lineage.own if read.field == field.name]
        signals = [self._signal(one) for one in field.inputs if one.is_signal and self._lineage.signals]
        return FieldLineage(field.name, field.handler, field.version, tuple(origins), tuple(signals))

    def _signal(self, wanted: Input) -> SignalOrigin:
        name, read = self._outline.signals[wanted.place], self._lineage.signals[wanted.place]
        return SignalOrigin(wanted.parameter, wanted.path, name, wanted.column, *read)

    def _origins(self, wanted: Input) -> Iterator[Origin]:
        place = self._outline.places[wanted.place]
        for at, row in enumerate(self._lineage.places[wanted.place]):
            if row.key is None or row.versions[0] <= 0:
                yield self._without(wanted, place, at, row)
                continue
            groups = [number for number, (_, columns) in enumerate(place.groups) if wanted.column in ("", *columns)]
            found = [(place.groups[number][0], row.versions[number]) for number in groups]
            yield self._read(wanted.parameter, wanted.path, place.table, row.key, wanted.column, found)

    def _read(
        self, parameter: str, path: str, table: str, key: bytes, column: str, found: Sequence[tuple[str, int]]
    ) -> Origin:
        """found: (group, version) of those groups that hold the column; for a whole row the newest counts."""
        group, version = max(found, key=lambda one: abs(one[1]))
        if version <= 0:
            return Origin(parameter, path, table, key, column, "unwritten", deleted_at=-version)
        changes = [self._versions.changed_at(table, name, key, at, column) for name, at in found if at > 0]
        position, writer = self._versions.written_by(table, group, key, version)
        known = [change for change in changes if change is not None]
        changed_at = max(known) if len(known) == len(changes) else None
        return Origin(parameter, path, table, key, column, "read", version, changed_at, position, writer)

    def _without(self, wanted: Input, place: Place, at: int, row: RowRead) -> Origin:
        deleted_at = 0 if row.key is None else -row.versions[0]
        state = "null" if row.key is None else "missing"
        nowhere = self._nowhere(place, at)
        return Origin(
            wanted.parameter, wanted.path, place.table, row.key, wanted.column, state,
            deleted_at=deleted_at, nowhere=nowhere,
        )  # fmt: skip

    def _nowhere(self, place: Place, at: int) -> Nowhere | None:
        """The row on the way to a place that is there, but leads no further."""
        while place.above >= 0 and not place.collection:
            above = self._outline.places[place.above]
            row = self._lineage.places[place.above][at]
            if row.key is not None and row.versions[0] > 0:
                return Nowhere(above.table, row.key, place.link)
            place = above
        return None

    def _own(self, read: OwnRead) -> Origin:
        found = list(read.versions.items())
        if max((version for _, version in found), default=0) <= 0:
            deleted_at = -min((version for _, version in found), default=0)
            return Origin("", "", read.table, read.key, "", "missing", deleted_at=deleted_at)
        return self._read("", "", read.table, read.key, "", found)
