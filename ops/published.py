"""A base for readers: what is published now, and where in the documents topic to go on from there.

With it a reader begins that would otherwise need every message since the first; retention has removed them.
"""

from collections.abc import Iterator

from ops.opened import DataFolder
from ops.topics import PUBLISHER
from proto.events import DOCUMENTS, PUBLICATIONS, DeltaDocument, decode_delta, encode
from proto.ports.log import Log
from proto.record import Schema
from repo.api import Snapshot, Version
from repo.system import CONTENT, document_table
from serving.reader import DocumentReader, Hook

_PAGE = 1000
_TIMESTAMP_BYTES = 8


def reader_of_published(folder: DataFolder, on_document: Hook | None = None) -> DocumentReader:
    """A reader that has everything that is published, and goes on with what comes; see serving.reader.

    Raises TooOldError when publishing is held for longer than versions are kept, or this takes as long.
    """
    log, repo = folder.log, folder.repo
    # In this order: what is published between two looks is read from the topic.
    offsets = {at: log.bounds(DOCUMENTS, at)[1] for at in range(log.partitions(DOCUMENTS))}
    newest = repo.last_timestamp()
    held = _oldest_unpublished(log)
    at = newest if held is None else min(newest, held - 1)
    with repo.snapshot_at(at) as snapshot:  # no lease: it is a write, which waits for whoever hangs
        return DocumentReader(log, folder.clock, _messages(folder, snapshot, offsets.get(0, 0)), offsets, on_document)


def _oldest_unpublished(log: Log) -> int | None:
    """Commit timestamp of the first build that waits for the publisher; None: none does."""
    position = log.position(PUBLISHER, PUBLICATIONS, 0)
    waiting = log.read(PUBLICATIONS, 0, position, 1)
    return int.from_bytes(waiting[0].value[:_TIMESTAMP_BYTES], "big") if waiting else None


def _messages(folder: DataFolder, snapshot: Snapshot, end: int) -> Iterator[DeltaDocument]:
    """As the publisher sends them: schemas, documents, the last heartbeat. All schemas: a document that is published
    again from now on may name one that the topic has announced long ago, and that no document of the base has."""
    for names in folder.schemas.all():
        yield DeltaDocument("schema", content=encode(Schema(names)))
    for document_type in folder.flows.documents:
        for key, version in _contents(snapshot, document_type):
            yield DeltaDocument("document", document_type, key, version.commit_timestamp, version.value or b"")
    yield from _last_heartbeat(folder.log, end)


def _contents(snapshot: Snapshot, document_type: str) -> Iterator[tuple[bytes, Version]]:
    """A page at a time, so that memory stays bounded."""
    page = snapshot.scan(document_table(document_type), CONTENT, limit=_PAGE)
    while page:
        yield from page
        page = snapshot.scan(document_table(document_type), CONTENT, after=page[-1][0], limit=_PAGE)


def _last_heartbeat(log: Log, end: int) -> Iterator[DeltaDocument]:
    """Before `end`: what it called published is in the base. None, when retention has left none."""
    while end > log.bounds(DOCUMENTS, 0)[0]:
        begin = max(0, end - _PAGE)
        deltas = [decode_delta(one.value) for one in log.read(DOCUMENTS, 0, begin, end - begin) if one.offset < end]
        for delta in reversed(deltas):
            if delta.kind == "heartbeat":
                yield delta
                return
        end = begin
