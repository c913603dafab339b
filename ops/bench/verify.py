"""Whether what was served is right: documents against a join made in SQL, versions against the invariant of whole
source transactions."""

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from random import Random

from ops.demo.check import expected_documents
from ops.demo.compare import Document, compare_documents
from ops.demo.play import DOCUMENT
from ops.demo.sample import SOURCE
from ops.demo.signal_values import Says
from ops.demo.torn import is_torn
from ops.document_view import fields_of, json_value
from proto.codec import encode_key
from proto.events import DOCUMENTS, decode_delta
from proto.ports.log import Log
from proto.record import decode_document
from repo.rows import Schemas
from serving.reader import DocumentReader

SAMPLE = 5_000
_MESSAGES = 1_000


class Served(Mapping[int, Document]):
    """Some ads' documents as a reader serves them, decoded one at a time; names: of the fields wanted, None: all."""

    def __init__(self, reader: DocumentReader, ads: Collection[int], names: Collection[str] | None) -> None:
        self._index, self._ads, self._names = reader.index, ads, names

    def __getitem__(self, ad: int) -> Document:
        served = self._index.get(DOCUMENT, encode_key((SOURCE, ad)))
        if served is None:
            raise KeyError(ad)
        wanted = served.fields if self._names is None else {name: served.fields[name] for name in self._names}
        return Document(ad, {name: json_value(value) for name, value in wanted.items()}, served.servable)

    def __iter__(self) -> Iterator[int]:
        held = self._index
        return (ad for ad in self._ads if held.get(DOCUMENT, encode_key((SOURCE, ad))) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def wrong_documents(
    connection: sqlite3.Connection,
    reader: DocumentReader,
    said: Says,
    random: Random,
    edited: Collection[int],
    names: Collection[str] | None = None,
) -> tuple[set[int], int]:
    """Ads whose documents are not what a join in SQL gives, and how many were compared: a sample (all, when they are
    few), and all that were edited. names: of the fields that are compared; None: all, and there are no others."""
    ads = [row[0] for row in connection.execute("SELECT id FROM ads")]
    chosen = set(random.sample(ads, min(SAMPLE, len(ads)))).union(edited)
    expected = expected_documents(connection, said, chosen)
    if names is not None:
        expected = (one._replace(fields={name: one.fields[name] for name in names}) for one in expected)
    wrong = {mismatch.id for mismatch in compare_documents(expected, Served(reader, chosen, names))}
    return wrong, len(chosen)


def wrong_bids(connection: sqlite3.Connection, reader: DocumentReader, edited: Collection[int]) -> tuple[set[int], int]:
    """The same for documents of other flows: of those columns that the bench edits, in all documents."""
    wanted = {row[0]: row[1:] for row in connection.execute("SELECT id, bid_micros, title, status FROM ads")}
    wrong = set(edited) - wanted.keys()
    for ad, values in wanted.items():
        found = reader.index.get(DOCUMENT, encode_key((SOURCE, ad)))
        if found is None or tuple(found.fields[name] for name in ("bid_micros", "title", "status")) != values:
            wrong.add(ad)
    return wrong, len(wanted)


class TornCheck:
    """Goes through what was published, a stretch at a time. looked_at: versions so far; torn: those that mix two source
    transactions."""

    def __init__(self, log: Log, schemas: Schemas) -> None:
        self._log, self._schemas = log, schemas
        self._offset = log.bounds(DOCUMENTS, 0)[1]
        self.looked_at = self.torn = 0

    def look(self, at_most: int) -> None:
        """At what was published since the last look, `at_most` versions of it."""
        until = self._offset + at_most
        while messages := self._log.read(DOCUMENTS, 0, self._offset, _MESSAGES):
            self._offset = messages[-1].offset + 1
            if self._offset > until:
                self._offset = self._log.bounds(DOCUMENTS, 0)[1]
            for delta in map(decode_delta, (message.value for message in messages)):
                if delta.kind == "document":
                    fields = fields_of(decode_document(delta.content), self._schemas)
                    self.looked_at += 1
                    self.torn += bool(fields) and is_torn(fields)
