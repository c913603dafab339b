"""A small data folder made through the Repo port: rows, documents, their history, publications, dead letters, a job."""

from pathlib import Path
from typing import Any

from ops.brokers.lmdb import LmdbLog
from ops.brokers.lmdb_dead_letters import LmdbDeadLetters
from proto.codec import encode_key
from proto.events import DOCUMENTS, DeltaDocument
from proto.events import encode as encode_event
from proto.flows.loader import loads
from proto.ports.dead_letters import DeadLetterEntry
from proto.record import BuildRecord, DocumentRecord, Record
from proto.record import encode as encode_record
from repo.api import Transaction
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.repo import LmdbRepo
from repo.rows import Schemas
from repo.system import (
    BUILD,
    CONTENT,
    GENERATIONS,
    JOBS,
    SOURCES,
    STATE,
    Generation,
    GenerationState,
    JobState,
    SourceState,
    document_table,
    encode,
    source_key,
    specs,
)

FLOWS = """
[tables.campaigns]
source = "campaigns"
key = "id"
columns = { id = "int", name = "str", budget = "decimal", note = "str" }
lanes = { note = "low" }

[tables.ads]
source = "ads"
key = "id"
columns = { id = "int", title = "str", icon = "bytes", campaign_id = "int" }
references = { campaign = "campaign_id -> campaigns" }

[tables.regions]
source = "regions"
key = ["country", "code"]
columns = { country = "str", code = "int", label = "str" }

[documents.ad]
root = "ads"
fields = { id = "id", title = "title", budget = "campaign.budget", icon = "icon" }

[documents.region]
root = "regions"
fields = { label = "label" }
"""
AD_FIELDS = ("id", "title", "budget", "icon")
START_MS = 1_763_843_643_120.0


class HandClock:
    """Stands still until somebody moves it."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> float:
        return self.ms

    def monotonic_ms(self) -> float:
        return self.ms


class Populated:
    """Writes a data folder; call `close` before a command opens it. Each write is a commit, a second after the last."""

    def __init__(self, path: Path, sources: tuple[str, ...] = ("shop",)) -> None:
        self.path = path
        self.clock = HandClock()
        self.built_at = 0  # of the newest document
        self._environment = LmdbEnvironment(path, self.clock, b"populated")
        self.log = LmdbLog(self._environment)
        self.dead_letters = LmdbDeadLetters(self._environment)
        self.repo = LmdbRepo(self._environment, self.clock, self.log.append_in)
        self.flows = loads(FLOWS, "flows.toml")
        self.repo.declare(specs(self.flows))
        self._schemas = Schemas(self.repo)
        self._write(GENERATIONS, encode_key(("admitted",)), STATE, encode(GenerationState(Generation(1, 1, FLOWS))))
        for source in sources:
            self._write(SOURCES, source_key(source), STATE, encode(SourceState(1, {0: 7}, ("ads", "campaigns"))))

    def row(self, table: str, key: tuple[Any, ...], position: int, values: dict[str, Any] | None, **record: Any) -> int:
        """One version of a row's group with these columns; values None: deleted. Returns its commit timestamp."""
        group = record.pop("group", "high")
        names = tuple(values or self.flows.tables[table].groups()[group])
        (schema,) = self._schemas.register([names])
        stored = Record(schema.id, None if values is None else list(values.values()), (1, position), **record)
        return self._write(table, encode_key(key), group, encode_record(stored))

    def document(
        self, document_type: str, key: tuple[Any, ...], fields: dict[str, Any] | None, *, servable: bool = True,
        missing: list[str] | None = None,
    ) -> int:  # fmt: skip
        """Builds and publishes a version; fields None: deleted. Returns its sequence."""
        (schema,) = self._schemas.register([tuple(fields or AD_FIELDS)])
        values = None if fields is None else list(fields.values())
        content = encode_record(DocumentRecord(schema.id, values, servable, missing))
        table, encoded = document_table(document_type), encode_key(key)
        transaction = self._begin()
        transaction.write(table, encoded, CONTENT, content)
        self.built_at = transaction.snapshot_timestamp
        build = BuildRecord(self.built_at, 1)
        transaction.write(table, encoded, BUILD, encode_record(build))
        sequence = self._commit(transaction)
        delta = DeltaDocument(
            "document",
            document_type,
            encoded,
            sequence,
            content,
            commit_ms=self.clock.ms - 1.5,
            publish_ms=self.clock.ms,
        )
        self.log.append(DOCUMENTS, 0, [encode_event(delta)])
        return sequence

    def job(self, job: JobState) -> None:
        self._write(JOBS, encode_key((job.id,)), STATE, encode(job))

    def dead_letter(self, **entry: Any) -> None:
        self.dead_letters.put(DeadLetterEntry(first_ms=self.clock.ms, last_ms=self.clock.ms, **entry))

    def close(self) -> None:
        self._environment.close()

    def _write(self, table: str, key: bytes, group: str, value: bytes) -> int:
        transaction = self._begin()
        transaction.write(table, key, group, value)
        return self._commit(transaction)

    def _begin(self) -> Transaction:
        with self.repo.snapshot() as snapshot:
            return Transaction(snapshot.timestamp)

    def _commit(self, transaction: Transaction) -> int:
        self.clock.ms += 1000
        (outcome,) = self.repo.commit([transaction])
        assert outcome.committed
        return outcome.commit_timestamp
