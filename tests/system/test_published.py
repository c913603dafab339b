"""A reader that begins when retention has removed the first messages of the documents topic."""

import sqlite3
from typing import Any

import pytest

from ops.engine.pauses import PUBLISHING, Pause, Pauses
from ops.published import reader_of_published
from proto.codec import encode_key
from proto.errors import TooOldError
from proto.events import DOCUMENTS, DeltaDocument, encode
from proto.record import DocumentRecord
from serving.reader import DocumentReader
from tests.support.whole import Whole


def value(reader: DocumentReader, number: int) -> Any:
    served = reader.get("player", encode_key(("main", "a", number)))
    return None if served is None else served.fields["value"]


def trimmed(index: Whole) -> None:
    index.data.log.trim(DOCUMENTS, 0, before=index.data.log.bounds(DOCUMENTS, 0)[1] - 1)


def test_a_reader_begins_with_what_is_published_and_goes_on(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    index.settle()
    trimmed(index)
    with pytest.raises(TooOldError):
        DocumentReader(index.data.log, index.clock).poll()
    reader = reader_of_published(index.data)
    assert (value(reader, 1), value(reader, 2), reader.poll()) == (11, 20, 0)
    editor.executescript("UPDATE players SET value = 12 WHERE number = 1; DELETE FROM players WHERE number = 2")
    index.settle()
    reader.poll()
    assert (value(reader, 1), value(reader, 2)) == (12, None)


def test_it_knows_a_schema_that_was_announced_long_ago_and_that_no_document_has_just_now(index: Whole) -> None:
    (schema,) = index.data.schemas.register([("value",)])
    reader = reader_of_published(index.data)
    key, newest = encode_key(("main", "a", 1)), index.data.repo.last_timestamp()
    content = encode(DocumentRecord(schema.id, [77], True))
    index.data.log.append(DOCUMENTS, 0, [encode(DeltaDocument("document", "player", key, newest + 1, content))])
    reader.poll()
    assert value(reader, 1) == 77


def test_it_meets_a_demand_for_what_is_published_before_anything_new_comes(index: Whole) -> None:
    demanded = DocumentReader(index.data.log, index.clock)
    demanded.poll()
    assert reader_of_published(index.data).watermark() == demanded.watermark() > 0


def test_what_publishing_holds_is_not_in_it(index: Whole, editor: sqlite3.Connection) -> None:
    Pauses(index.folder).pause(Pause(stage=PUBLISHING))
    index.clock.ms += 1000.0  # pauses are looked at now and then
    index.turn()
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    for _ in range(20):
        index.turn()
    line = index.line("player", ["a", 1])
    assert line is not None and line["fields"]["value"] == 11
    trimmed(index)
    reader = reader_of_published(index.data)
    assert value(reader, 1) == 10
    Pauses(index.folder).resume(Pause(stage=PUBLISHING))
    index.settle()
    reader.poll()
    assert value(reader, 1) == 11
