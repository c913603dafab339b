"""The demo: sample database, all roles in one process, live edits, and the check of every document against SQL."""

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from ops.demo.check import check
from ops.demo.compare import Document
from ops.demo.director import Director
from ops.demo.editor import Edit
from ops.demo.sample import SOURCE, make_database, running
from ops.demo.scale import Scale
from ops.demo.schema import connect
from ops.demo.signal_values import says
from ops.demo.torn import is_torn
from ops.demo.witness import STAGES, Published, Witness, first_with, quantile
from ops.document_view import fields_of, json_value
from ops.settings import Settings
from ops.wiring.process import Process
from proto.codec import decode_key, encode_key
from proto.lane import Lane
from proto.record import decode_document
from repo.system import CONTENT, document_table
from serving.reader import DocumentReader

DOCUMENT = "ad"


class Example(msgspec.Struct):
    """One document before and after one edit: field -> (before, after), those that changed."""

    id: int
    kind: str
    latency_ms: float
    fields: int
    changed: dict[str, tuple[Any, Any]]


class DemoResult(msgspec.Struct):
    """What `adsindex demo` found. The names of the first block are what scripts rely on.

    lost: edits of which a document does not show all. torn: published documents that mix two source transactions.
    unchecked: fields of which the join in SQL (expected.sql, recomputed.py) knows nothing: new ones.
    latency_ms: from the return of the editor's COMMIT until the last document of the edit was servable.
    """

    documents: int
    edits: int
    mismatches: int
    lost: int
    torn: int
    latency_ms: dict[str, float]
    stages_ms: dict[str, dict[str, float]]
    version: str
    lanes_ms: dict[str, dict[str, float]]
    published: int
    commits: int
    dead_letters: int
    bootstrap_ms: float
    unreached: str
    examples: list[str]
    unchecked: list[str]
    example: Example | None = None

    @property
    def good(self) -> bool:
        return not (self.mismatches or self.lost or self.torn or self.unreached)


def play(
    folder: Path, scale: Scale, settings: Settings, rate: float, seconds: float, seed: int,
    tell: Callable[[str, float, float], None],
) -> DemoResult:  # fmt: skip
    """folder: new; gets the database (`ads.db`) and the data folder (`data`)."""
    tell("generate", 0, scale.ads)
    database, sources = make_database(folder, scale, seed)
    witness = Witness()
    director = Director(database, sources, rate, seconds, seed, tell)
    with running(folder, sources, settings, director, witness, seed) as (process, reader):
        while reader.poll():
            pass
        return _result(process, reader, witness, director, database, seed)


def _result(
    process: Process, reader: DocumentReader, witness: Witness, director: Director, database: Path, seed: int
) -> DemoResult:
    edits = director.edits()
    with connect(database) as connection:
        found = list(check(connection, served_documents(reader), says(seed)))
    mismatches = [mismatch for mismatch in found if not mismatch.unknown]
    wrong = {mismatch.id for mismatch in mismatches}
    timed = witness.latencies_ms(edits)
    since_ms = edits[0].began_ms if edits else float("inf")
    live = [seen for seen in witness.published if seen.commit_ms >= since_ms]
    return DemoResult(
        documents=sum(1 for _ in reader.index.keys(DOCUMENT)),
        edits=len(edits),
        mismatches=len(wrong),
        lost=sum(1 for edit in edits if wrong.intersection(edit.ads)),
        torn=sum(is_torn_version(process, seen) for seen in witness.published),
        latency_ms=_quantiles([latency for _, latency in timed]),
        stages_ms={stage: _quantiles([seen.stages_ms[at] for seen in live]) for at, stage in enumerate(STAGES)},
        version=version("adsindex"),
        lanes_ms=_by_lane(live),
        published=len(witness.published),
        commits=process.store.environment.commits,
        dead_letters=process.store.dead_letters.count(),
        bootstrap_ms=round(director.bootstrap_ms, 1),
        unreached=director.unreached,
        examples=[str(mismatch) for mismatch in mismatches[:10]],
        unchecked=sorted({mismatch.field for mismatch in found if mismatch.unknown}),
        example=_example(process, witness, timed),
    )


def served_documents(reader: DocumentReader) -> dict[Any, Document]:
    """What a reader would serve now, as the command line prints it."""
    found = {}
    for key in reader.index.keys(DOCUMENT):
        served = reader.index.get(DOCUMENT, key)
        if served is not None:
            fields = {name: json_value(value) for name, value in served.fields.items()}
            identity = decode_key(key)[1]
            found[identity] = Document(identity, fields, served.servable)
    return found


def is_torn_version(process: Process, seen: Published) -> bool:
    """Whether a published version mixes two source transactions."""
    fields = fields_of(decode_document(seen.content), process.store.schemas)
    return bool(fields) and is_torn(fields)


def _quantiles(values: list[float]) -> dict[str, float]:
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {name: round(quantile(values, share), 3) for name, share in shares.items()}


def _by_lane(published: list[Published]) -> dict[str, dict[str, float]]:
    lanes: dict[str, list[float]] = {}
    for seen in published:
        lanes.setdefault(Lane(seen.lane).name.lower(), []).append(sum(seen.stages_ms))
    return {name: _quantiles(values) for name, values in sorted(lanes.items())}


def _example(process: Process, witness: Witness, timed: list[tuple[Edit, float]]) -> Example | None:
    """The last edit of one ad, with what it changed."""
    for edit, latency_ms in reversed(timed):
        if len(edit.ads) != 1:
            continue
        after = first_with([one for one in witness.published if one.id == edit.ads[0]], edit)
        example = after and _difference(process, edit, after, latency_ms)
        if example:
            return example
    return None


def _difference(process: Process, edit: Edit, after: Published, latency_ms: float) -> Example | None:
    store = process.store
    with store.repo.snapshot_at(after.sequence) as snapshot:
        versions = snapshot.history(document_table(DOCUMENT), CONTENT, encode_key((SOURCE, after.id)), 2)
    contents = [fields_of(decode_document(version.value or b""), store.schemas) for version in versions]
    if len(contents) < 2 or not all(contents):
        return None
    new, old = contents
    changed = {
        name: (json_value(old.get(name)), json_value(value)) for name, value in new.items() if old.get(name) != value
    }
    return Example(after.id, edit.kind, round(latency_ms, 3), len(new), changed)
