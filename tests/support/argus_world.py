"""Argus on a real LMDB environment, with a real updater before it: source transactions in, documents out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argus.assemble import Parts, assemble
from argus.describe import generation_of
from argus.generations import admit
from argus.publish import Publisher
from argus.registry import Application, register
from argus.signals.port import Caller
from ops.brokers.lmdb import LmdbLog
from ops.brokers.lmdb_dead_letters import LmdbDeadLetters
from proto.codec import encode_key
from proto.events import (
    DOCUMENTS,
    NOTIFICATIONS,
    PUBLICATIONS,
    DeltaDocument,
    Notification,
    TableRows,
    Unit,
    decode_delta,
    decode_notification,
    encode,
    lane_topic,
)
from proto.flows.loader import loads
from proto.lane import Lane
from proto.ports.dead_letters import DeadLetterEntry
from proto.ports.processor import DONE, Item, Outcome
from proto.record import BuildRecord, DocumentRecord, decode_build, decode_document
from repo.api import Repo
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.repo import LmdbRepo
from repo.rows import Schemas
from repo.system import BUILD, CONTENT, document_table, specs
from tests.support.counting_repo import CountingRepo
from tests.support.functions import module_of
from tests.support.shop import HandClock
from updater.processor import Updater

SOURCE = "main"

ADS_FLOWS = """
[tables.ads]
source = "ads"
key = "id"
columns = { id = "int", group_id = "int", title = "str", bid = "decimal", starts_on = "date", score = "float" }
lanes = { score = "medium" }
references = { group = "group_id -> groups" }
collections = { words = "ad_words.ad_id order by position limit 5" }

[tables.groups]
source = "groups"
key = "id"
columns = { id = "int", campaign_id = "int", status = "str" }
references = { campaign = "campaign_id -> campaigns" }

[tables.campaigns]
source = "campaigns"
key = "id"
columns = { id = "int", name = "str", budget = "int", note = "str" }

[tables.ad_words]
source = "ad_words"
key = ["ad_id", "word_id"]
columns = { ad_id = "int", word_id = "int", position = "int" }
references = { word = "word_id -> words" }

[tables.words]
source = "words"
key = "id"
lane = "low"
columns = { id = "int", text = "str" }

[documents.ad]
root = "ads"
servable = "group.status = 'ON'"

[documents.ad.fields]
title = "title"
bid = "bid"
score = "score"
status = "group.status"
campaign = "group.campaign.name"
budget = "group.campaign.budget"
words = "words.word.text"
"""


@dataclass(frozen=True)
class Gone:
    """A deleted row."""

    key: tuple[Any, ...]


Change = tuple[str, dict[str, Any] | Gone]


def put(table: str, **row: Any) -> Change:
    """A row as it is now; columns left out are NULL."""
    return table, row


def gone(table: str, *key: Any) -> Change:
    return table, Gone(key)


class World:
    """An updater and an Argus over one environment, driven by hand. repo counts calls."""

    def __init__(
        self,
        folder: Path,
        flows: str = ADS_FLOWS,
        functions: Sequence[Callable[..., Any]] = (),
        *,
        live: bool = True,
        environment: LmdbEnvironment | None = None,
        caller: Caller | None = None,
        engine: Callable[[LmdbLog], Repo] | None = None,
    ) -> None:
        """engine: another one than LMDB's own; the log, its messages among them, is LMDB's all the same."""
        self.folder, self.clock = folder, HandClock()
        self.environment = environment or LmdbEnvironment(folder, self.clock, nonce=b"world")
        self.log = LmdbLog(self.environment)
        self._make = engine
        self.engine: Any = (
            LmdbRepo(self.environment, self.clock, self.log.append_in) if engine is None else engine(self.log)
        )
        self.repo = CountingRepo(self.engine)
        self.letters = LmdbDeadLetters(self.environment)
        self.application: Application = register(loads(flows), [module_of(*functions)] if functions else [])
        self.repo.declare(specs(self.application.flows, tuple(self.application.handlers)))
        self.schemas = Schemas(self.repo)
        admission = admit(self.repo, generation_of(self.application), alone=True)
        self.parts: Parts = assemble(
            self.repo, self.log, self.schemas, self.application, admission, [SOURCE], self.letters, self.clock,
            caller=caller,
        )  # fmt: skip
        self.argus, self.jobs, self.handlers = self.parts.argus, self.parts.jobs, self.parts.handlers
        self.argus.live |= set(self.application.flows.documents) if live else set()
        self.updater = Updater(self.repo, self.schemas, self.application.flows, self.letters, self.clock)
        self.publisher = Publisher(self.repo, self.log, self.schemas, self.clock)
        self._position = 0
        self._offsets = dict.fromkeys(Lane, 0)
        self._published = 0

    def again(self, flows: str = "", functions: Sequence[Callable[..., Any]] = (), live: bool = False) -> "World":
        """Another process in its place, as after a crash: what was in memory is lost, positions are kept."""
        other = World(
            self.folder, flows or self.application.flows.text, functions, live=live, environment=self.environment,
            engine=self._make,
        )  # fmt: skip
        other.clock.ms, other._position = self.clock.ms, self._position
        other._offsets, other._published = self._offsets, self._published
        return other

    def close(self) -> None:
        self.environment.close()

    def commit(self, *changes: Change, lane: Lane = Lane.HIGH, kind: Any = "stream", **rest: Any) -> int:
        """One source transaction; returns the newest commit timestamp."""
        self._position += 1
        unit = Unit(SOURCE, kind, 1, self._position - 1, self._position, lane, self._tables(changes), **rest)
        assert self.updater.process([Item(encode(unit), lane, 1, "test")]) == [DONE]
        return self.repo.last_timestamp()

    def items(self, lane: Lane) -> list[Item]:
        """Notifications that nobody has taken yet."""
        topic = lane_topic(NOTIFICATIONS, lane)
        messages = self.log.read(topic, 0, self._offsets[lane], 100_000)
        self._offsets[lane] += len(messages)
        return [Item(message.value, lane, 1, f"{topic}/0@{message.offset}") for message in messages]

    def notifications(self, lane: Lane) -> list[Notification]:
        return [decode_notification(item.value)[1] for item in self.items(lane)]

    def deliver(self) -> list[Outcome]:
        """One batch a lane."""
        outcomes: list[Outcome] = []
        for lane in Lane:
            if items := self.items(lane):
                with self.log.group():
                    outcomes += self.argus.process(items)
        return outcomes

    def settle(self, slice_rows: int = 1000) -> None:
        """Until nothing is to be done."""
        while self.deliver() or self.jobs.step(slice_rows):
            pass

    def edit(self, *changes: Change) -> None:
        """One source transaction, and all that follows from it."""
        self.commit(*changes)
        self.settle()

    def publish(self) -> list[DeltaDocument]:
        """What is appended to the documents topic for all publications that are there."""
        messages = self.log.read(PUBLICATIONS, 0, self._published, 100_000)
        self._published += len(messages)
        before = self.log.bounds(DOCUMENTS, 0)[1]
        self.publisher.process([Item(message.value, Lane.HIGH, 1, "test") for message in messages])
        return [decode_delta(message.value) for message in self.log.read(DOCUMENTS, 0, before, 100_000)]

    def publications(self) -> int:
        """How many documents were announced so far, in messages."""
        return self.log.bounds(PUBLICATIONS, 0)[1]

    def content(self, *key: Any, document_type: str = "ad") -> DocumentRecord | None:
        with self.repo.snapshot() as snapshot:
            (version,) = snapshot.read(document_table(document_type), CONTENT, [key_of(*key)])
        return None if version is None or version.value is None else decode_document(version.value)

    def fields(self, *key: Any, document_type: str = "ad") -> dict[str, Any] | None:
        """Field -> stored value; None: there is no document."""
        found = self.content(*key, document_type=document_type)
        if found is None or found.values is None:
            return None
        return dict(zip(self.schemas.names(found.schema), found.values, strict=True))

    def build_record(self, *key: Any, document_type: str = "ad") -> BuildRecord | None:
        with self.repo.snapshot() as snapshot:
            (version,) = snapshot.read(document_table(document_type), BUILD, [key_of(*key)])
        return None if version is None or version.value is None else decode_build(version.value)

    def letter(self, stage: str, subject: str) -> DeadLetterEntry | None:
        return self.letters.get(stage, subject)

    def row(self, table: str, group: str, *key: Any) -> dict[str, Any] | None:
        """The stored values of one group of a row."""
        names = self.application.flows.tables[table].groups()[group]
        with self.repo.snapshot() as snapshot:
            (version,) = snapshot.read(table, group, [key_of(*key)])
        values = self.parts.handlers._writer._readers[table, group].values(version)
        return None if values is None else dict(zip(names, values, strict=True))

    def _tables(self, changes: Sequence[Change]) -> list[TableRows]:
        tables: dict[str, TableRows] = {}
        for name, change in changes:
            columns = tuple(
                column.name for column in self.application.flows.tables[name].columns.values() if not column.writer
            )
            rows = tables.setdefault(name, TableRows(name, columns, [], []))
            if isinstance(change, Gone):
                rows.deleted.append(change.key)
            else:
                assert change.keys() <= set(columns), f"{change} for {columns}"
                rows.rows.append(tuple(change.get(column) for column in columns))
        return list(tables.values())


def key_of(*values: Any) -> bytes:
    """Encoded key of a row of the world's source."""
    return encode_key((SOURCE, *values))
