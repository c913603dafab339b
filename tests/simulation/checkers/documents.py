"""Documents, judged with the Repo's own timestamps: each is the join at the snapshot at which it was built, no older
build follows a newer one, and all of it was published."""

from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from proto.events import decode_delta, decode_notification
from proto.ports.processor import Item
from proto.record import Schema, decode_build, decode_document, decode_record
from repo.api import Cell
from repo.system import BUILD, CONTENT, document_table
from tests.simulation.actors.source import IDS, Row, Source, document_of, key_of
from tests.simulation.argus_process import DOCUMENT, application
from tests.simulation.checkers.history import History
from tests.simulation.checkers.snapshot_isolation import Truth

TABLE = document_table(DOCUMENT)
NOW = 1 << 62
_decode_schema = msgspec.msgpack.Decoder(Schema).decode


def wrong_documents(history: History, source: Source, topic: Sequence[bytes]) -> Iterator[str]:
    """topic: the documents topic. After everything was processed."""
    truth = Truth(history)
    for id in IDS:
        yield from _wrong_builds(id, truth)
        yield from _not_built(id, truth)
        yield from _wrong_publications(id, truth, topic)
        wanted = document_of(id, lambda table, id: source.rows[table].get(id))
        newest = truth.versions.get(Cell(TABLE, key_of(id), CONTENT))
        found = None if not newest else _fields(newest[-1].value)
        if found != wanted:
            yield f"document {id} is {found} in the end, and its rows say {wanted}"


def lost_changes(history: History, item: Item) -> Iterator[str]:
    """Of a notification that was just acknowledged: the changes of ads, and of groups that their ads have not left
    since, that no committed build has seen (N1, N5)."""
    change, notification = decode_notification(item.value)
    truth = Truth(history)
    for id in IDS:
        root = _row(truth, NOW, "ads", id)
        group = None if root is None or max(_commits(truth, "ads", key_of(id))) > change else root[1]
        of_group = ("groups", key_of(int(str(group or 0))))
        about = [(row.table, row.key) for row in notification.changes]
        if ("ads", key_of(id)) not in about and of_group not in about:
            continue
        builds = truth.versions.get(Cell(TABLE, key_of(id), BUILD), ())
        if all(decode_build(value or b"").built_at < change for _, value in builds):
            yield f"document {id}: the change at {change} is acknowledged, and no build has seen it"


def _wrong_builds(id: int, truth: Truth) -> Iterator[str]:
    """Of all builds that were ever committed: which snapshot they show (N1, N3), that none follows a newer one (N5),
    and that what they found by themselves was still so when they were committed (N4)."""
    before = 0
    for commit, writer in truth.writers.get(Cell(TABLE, key_of(id), BUILD), ()):
        if writer.internal:  # the same bytes again, where garbage was covered
            continue
        record = decode_build(writer.writes[Cell(TABLE, key_of(id), BUILD)] or b"")
        built_at = record.built_at
        if built_at < before:
            yield f"document {id} was built at {built_at} and committed at {commit}, after a build at {before}"
        before = max(before, built_at)
        content = truth.at(Cell(TABLE, key_of(id), CONTENT), commit)
        found = None if content is None else _fields(content.value)
        wanted = document_of(id, partial(_row, truth, built_at))
        if found != wanted:
            yield f"document {id}, built at {built_at}, is {found} since {commit}; its rows say {wanted}"
        for table, key in record.reads or ():
            for changed in _commits(truth, table, key):
                if built_at < changed < commit:
                    yield f"document {id}, built at {built_at}, read {table} {key!r}; that changed at {changed}"


def _not_built(id: int, truth: Truth) -> Iterator[str]:
    """As the sweeper would find it: a change of what a document is made of that no build has seen (N1, N2, N5)."""
    builds = truth.versions.get(Cell(TABLE, key_of(id), BUILD), ())
    built_at = max((decode_build(value or b"").built_at for _, value in builds), default=0)
    root = _row(truth, NOW, "ads", id)
    inputs = [("ads", id)]
    if root is not None:
        inputs += [("groups", int(str(root[1]))), ("campaigns", int(str(root[2])))]
    for table, input_id in inputs:
        changed = _changed(truth, table, input_id)
        if changed > built_at:
            yield f"document {id} was built at {built_at} and never again; {table} {input_id} changed at {changed}"


def _wrong_publications(id: int, truth: Truth, topic: Sequence[bytes]) -> Iterator[str]:
    """Each message is what was there then; and readers, who keep the highest sequence, have what is there now. (Its
    commit timestamp may be a later one: where garbage was covered the same bytes are committed again.)"""
    versions = dict(truth.versions.get(Cell(TABLE, key_of(id), CONTENT), ()))
    highest, schemas = 0, set[int]()
    for delta in map(decode_delta, topic):
        if delta.kind == "schema":
            schemas.add(_decode_schema(delta.content).id)
        elif delta.key == key_of(id):
            highest = max(highest, delta.sequence)
            if decode_document(delta.content).schema not in schemas:
                yield f"document {id} was published with sequence {delta.sequence}, before its schema"
            if versions.get(delta.sequence) != delta.content:
                yield f"document {id} was published with sequence {delta.sequence}, at which it was something else"
    newest = max(versions, default=0)
    if versions.get(highest) != versions.get(newest):
        yield f"document {id} was published up to {highest}; its newest content is of {newest}"


def _commits(truth: Truth, table: str, key: bytes) -> list[int]:
    """Timestamps at which a row was written; but not by the engine itself, which changes nothing."""
    written = truth.writers.get(Cell(table, key, _group(table)), ())
    return [commit for commit, writer in written if not writer.internal]


def _changed(truth: Truth, table: str, id: int) -> int:
    """The newest commit that changed a value of a row. (A unit that brings the same values leaves its position.)"""
    changed, before = 0, None
    for commit in _commits(truth, table, key_of(id)):
        now = _row(truth, commit, table, id)
        if now != before:
            changed, before = commit, now
    return changed


def _group(table: str) -> str:
    (group,) = application().flows.tables[table].groups()
    return group


def _row(truth: Truth, snapshot: int, table: str, id: int) -> Row | None:
    version = truth.at(Cell(table, key_of(id), _group(table)), snapshot)
    values = None if version is None or version.value is None else decode_record(version.value).values
    return None if values is None else tuple(values)


def _fields(content: bytes | None) -> tuple[object, ...] | None:
    values = None if content is None else decode_document(content).values
    return None if values is None else tuple(values)
