"""Makers of messages of the documents topic, an embedded log, a clock that is set by hand."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.brokers.lmdb import LmdbLog
from proto.events import DOCUMENTS, DeltaDocument, encode
from proto.record import DocumentRecord, Schema
from proto.record import encode as encode_record
from repo.lmdb.environment import LmdbEnvironment

SCHEMA = Schema(("id", "title"))


class HandClock:
    """Both clocks stand at `ms` until somebody moves it."""

    def __init__(self) -> None:
        self.ms = 1000.0

    def now_ms(self) -> float:
        return self.ms

    def monotonic_ms(self) -> float:
        return self.ms

    def waiting(self, then: Callable[[], object] = lambda: None) -> Callable[[float], None]:
        """A wait that takes its whole time, and lets something happen in it."""

        def wait(timeout_ms: float) -> None:
            self.ms += timeout_ms
            then()

        return wait


class Topic:
    """The documents topic of a log, with makers of its messages."""

    def __init__(self, log: LmdbLog) -> None:
        self.log = log

    def publish(self, *deltas: DeltaDocument, partition: int = 0) -> None:
        self.log.append(DOCUMENTS, partition, [encode(delta) for delta in deltas])

    @staticmethod
    def document(
        key: bytes, sequence: int, title: str | None = "a", *, servable: bool = True, commit_ms: float = 0.0
    ) -> DeltaDocument:
        """Without a title: a tombstone."""
        record = DocumentRecord(SCHEMA.id, None if title is None else [1, title], servable)
        return DeltaDocument("document", "ad", key, sequence, encode_record(record), commit_ms=commit_ms)

    @staticmethod
    def schema() -> DeltaDocument:
        return DeltaDocument("schema", content=encode_record(SCHEMA))

    @staticmethod
    def heartbeat(watermark: int, pending_since_ms: float = 0.0) -> DeltaDocument:
        return DeltaDocument("heartbeat", watermark=watermark, commit_ms=pending_since_ms)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def topic(tmp_path: Path, clock: HandClock) -> Iterator[Topic]:
    environment = LmdbEnvironment(tmp_path / "data", clock, b"serving")
    yield Topic(LmdbLog(environment))
    environment.close()
