"""Which documents used a row, a version of a function or of a signal, or were built in a window of time.

Answered from indexes. A row's documents are found by climbing, as a fan-out finds them, and kept if their recorded
lineage names the row; a function's by the generations that have this version of it (argus.built).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from argus.built import built_by, has_documents
from argus.climb import Climber, Target, first_frames
from argus.lineage import Lineage, decode_lineage
from argus.outline import Outline, load_outlines
from argus.reads import Recorded
from argus.rows import readers_of
from argus.signals.versions import documents_with
from proto.errors import FlowsError
from proto.flows.model import Flows
from proto.flows.paths import Hop, resolve
from proto.record import BuildRecord, decode_build
from repo.api import Snapshot
from repo.rows import Schemas
from repo.system import BUILD, LINEAGE, document_table
from repo.versions import StoredVersions

TIMESTAMP_MAX = 2**64 - 1
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Use:
    """A document that used something, and in which version: of a function or a signal; of a row's groups."""

    document_type: str
    key: bytes
    built_at: int
    generation: int
    version: int = 0
    row_versions: Mapping[str, int] = field(default_factory=dict)


class Row(NamedTuple):
    """A row; version: only documents that read this version of any of its groups (a commit timestamp); 0: any."""

    table: str
    key: bytes
    version: int = 0


class _Built(NamedTuple):
    key: bytes
    record: BuildRecord
    lineage: Lineage


class Usage:
    """Looks at one snapshot. since, until: only documents whose newest build read in between (commit timestamps)."""

    def __init__(
        self, snapshot: Snapshot, flows: Flows, schemas: Schemas, since: int = 0, until: int = TIMESTAMP_MAX
    ) -> None:
        self._snapshot, self._flows, self._schemas = snapshot, flows, schemas
        self._since, self._until = since, until
        self._climber = Climber(flows, readers_of(flows, schemas))

    def of_row(self, document_type: str, row: Row) -> Iterator[Use]:
        """A row that is deleted, or never was, is used by documents that refer to it. Not found is a document whose
        reference to it was taken away a moment ago, and that is not built again yet."""
        outlines = self._live(document_type)
        seen: set[bytes] = set()
        for target in _targets(self._flows, document_type, outlines.values(), row.table):
            frames = first_frames(target.hops, row.key, ())
            while frames:
                found = [key for key in self._climber.climb(self._snapshot, target, frames, _PAGE) if key not in seen]
                seen.update(found)
                for built in self._built(document_type, found):
                    versions = _versions_read(outlines.get(built.lineage.generation), built.lineage, row)
                    if versions is not None:
                        yield Use(document_type, built.key, *_when(built), 0, versions)

    def of_function(self, document_type: str, name: str, version: int = 0) -> Iterator[Use]:
        """Of a computed field, or of a handler whose columns the document reads. version 0: any."""
        for generation, outline in self._live(document_type).items():
            own = [field.version for field in outline.fields if field.handler == name]
            if own and version in (0, *own):
                yield from (
                    Use(document_type, built.key, *_when(built), own[0])
                    for built in self._pages(document_type, generation)
                )
            elif not own:
                yield from self._derived(document_type, generation, outline, name, version)

    def of_signal(self, document_type: str, name: str, version: int = 0) -> Iterator[Use]:
        """Version 0: any."""
        outlines = self._live(document_type)
        for keys in documents_with(self._snapshot, document_type, name, version):
            for built in self._built(document_type, keys):
                outline = outlines.get(built.lineage.generation)
                names = outline.signals if outline is not None else ()
                for signal, read in zip(names, built.lineage.signals, strict=False):
                    if signal == name and read.is_used and version in (0, read.version):
                        yield Use(document_type, built.key, *_when(built), read.version)

    def in_window(self, document_type: str) -> Iterator[Use]:
        """All that were built in it."""
        for generation in self._live(document_type):
            for built in self._pages(document_type, generation):
                yield Use(document_type, built.key, *_when(built))

    def functions(self, document_type: str) -> set[str]:
        """Names that `of_function` knows."""
        outlines = self._live(document_type).values()
        own = {field.handler for outline in outlines for field in outline.fields if field.handler}
        return own | {_handler(group) for outline in outlines for group in _groups(outline) if _handler(group)}

    def signals(self, document_type: str) -> set[str]:
        """Names that `of_signal` knows."""
        return {name for outline in self._live(document_type).values() for name in outline.signals}

    def _derived(self, document_type: str, generation: int, outline: Outline, name: str, version: int) -> Iterator[Use]:
        if not any(_handler(group) == name for group in _groups(outline)):
            return
        versions = StoredVersions(self._snapshot, self._schemas)
        for built in self._pages(document_type, generation):
            writers = {
                versions.written_by(place.table, group, row.key, at)[1]
                for place, rows in zip(outline.places, built.lineage.places, strict=True)
                for number, (group, _) in enumerate(place.groups)
                if _handler(group) == name
                for row in rows
                if row.key is not None and (at := row.versions[number]) > 0
            }
            found = {int(writer.rpartition(" v")[2]) for writer in writers if writer}
            if found and (not version or version in found):
                yield Use(document_type, built.key, *_when(built), version or max(found))

    def _live(self, document_type: str) -> dict[int, Outline]:
        """Outlines of the generations that have documents."""
        outlines = load_outlines(self._snapshot, document_type)
        return {
            generation: outline
            for generation, outline in outlines.items()
            if has_documents(self._snapshot, document_type, generation)
        }

    def _pages(self, document_type: str, generation: int) -> Iterator[_Built]:
        for keys in built_by(self._snapshot, document_type, generation, self._since, self._until):
            yield from self._built(document_type, keys)

    def _built(self, document_type: str, keys: Sequence[bytes]) -> Iterator[_Built]:
        """Those that were built in the window, with what they have read."""
        table, read = document_table(document_type), self._snapshot.read
        for key, build, lineage in zip(keys, read(table, BUILD, keys), read(table, LINEAGE, keys), strict=True):
            if build is None or build.value is None or lineage is None or lineage.value is None:
                continue
            record = decode_build(build.value)
            if record.content_hash and self._since <= record.built_at <= self._until:
                yield _Built(key, record, decode_lineage(key, lineage))


def _when(built: _Built) -> tuple[int, int]:
    return built.record.built_at, built.lineage.generation


def _versions_read(outline: Outline | None, lineage: Lineage, row: Row) -> Mapping[str, int] | None:
    """Group -> version of the row; None: it was not read, or not in the version that is asked for."""
    found: dict[str, int] = {}
    if outline is not None:
        for place, rows in zip(outline.places, lineage.places, strict=True):
            if place.table == row.table and (read := next((one for one in rows if one.key == row.key), None)):
                found.update(zip((group for group, _ in place.groups), read.versions, strict=True))
    for own in lineage.own:
        if own.table == row.table and own.key == row.key:
            found.update(own.versions)
    wanted = not row.version or row.version in map(abs, found.values())
    return found if found and wanted else None


def _targets(flows: Flows, document_type: str, outlines: Iterable[Outline], table: str) -> list[Target]:
    """Ways from a table up to the documents. Those of an earlier generation that today's flows have no more are left
    out: only documents that are still to be rebuilt go along them."""
    ways: dict[str, tuple[Hop | Recorded, ...]] = {}
    for outline in outlines:
        for place in outline.places:
            if place.table == table and place.path not in ways:
                try:
                    hops = resolve(flows, outline.places[0].table, place.path).hops if place.path else ()
                except FlowsError:
                    continue
                ways[place.path] = tuple(reversed(hops))
        if any(one.reads for one in outline.fields):
            ways[f"@{table}"] = (Recorded(document_type, table),)
    return [Target(document_type, path, table, frozenset(), hops) for path, hops in ways.items()]


def _groups(outline: Outline) -> list[str]:
    return [group for place in outline.places for group, _ in place.groups]


def _handler(group: str) -> str:
    """The function whose columns a group holds; "" for a source's."""
    return group[1:].rpartition(":")[2] if group.startswith("@") else ""
