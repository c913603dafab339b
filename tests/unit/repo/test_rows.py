"""Rows over records: schemas that are stored once, values aligned with today's columns, times of last changes."""

from pathlib import Path
from typing import Any

import pytest

from proto.codec import encode_key
from proto.errors import CorruptionError, SettingsError
from proto.record import Record, Schema, encode
from repo.api import Keep, TableSpec, Transaction, Version
from repo.rows import GroupReader, Schemas, carried_over, changed_record, last_changes
from repo.system import SCHEMAS, STATE
from repo.system import encode as encode_state
from tests.support.engines import Engine, lmdb_engine

OLD, NEW = Schema(("id", "title", "bid")), Schema(("bid", "added", "id"))


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    with lmdb_engine(tmp_path, [TableSpec(SCHEMAS, {STATE: Keep.NEWEST})]) as made:
        yield made


def version(record: Record, timestamp: int = 50) -> Version:
    return Version(timestamp, encode(record))


def reader(engine: Engine, schema: Schema = NEW) -> GroupReader:
    schemas = Schemas(engine.repo)
    schemas.register([OLD.names, NEW.names])
    return GroupReader(schemas, schema)


def test_schemas_are_stored_once_and_known_to_others(engine: Engine) -> None:
    schemas = Schemas(engine.repo)
    assert schemas.register([OLD.names, NEW.names]) == [OLD, NEW]
    stored = engine.repo.last_timestamp()
    others = Schemas(engine.repo)
    assert [others.names(schema.id) for schema in (OLD, NEW)] == [OLD.names, NEW.names]
    others.register([NEW.names, OLD.names])
    assert engine.repo.last_timestamp() == stored, "nothing was new"


def test_a_schema_that_was_never_stored_is_damage(engine: Engine) -> None:
    with pytest.raises(CorruptionError, match="4711"):
        Schemas(engine.repo).names(4711)


def test_all_are_stored_when_another_process_was_faster_with_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = engine.repo.commit

    def overtaken(transactions: list[Transaction]) -> Any:
        monkeypatch.setattr(engine.repo, "commit", commit)
        Schemas(engine.repo).register([OLD.names])
        return commit(transactions)

    monkeypatch.setattr(engine.repo, "commit", overtaken)
    Schemas(engine.repo).register([OLD.names, NEW.names])
    assert [Schemas(engine.repo).names(schema.id) for schema in (OLD, NEW)] == [OLD.names, NEW.names]


def test_two_lists_of_names_with_one_id_are_refused(engine: Engine) -> None:
    transaction = engine.begin()
    transaction.write(SCHEMAS, encode_key((OLD.id,)), STATE, encode_state(("something", "else")))
    engine.commit(transaction)
    with pytest.raises(SettingsError, match="something"):
        Schemas(engine.repo).register([OLD.names])


def test_a_record_of_todays_columns_is_as_it_was_written(engine: Engine) -> None:
    record = Record(NEW.id, [5, "x", 1], (1, 9), 7, {1: 0}, "handler", "bad value")
    rows = reader(engine)
    assert rows.record(version(record)) == record
    assert rows.values(version(record)) == [5, "x", 1]
    assert rows.records([version(record), None, Version(50, None)]) == [record, None, None]


def test_an_older_record_is_aligned_with_todays_columns(engine: Engine) -> None:
    record = reader(engine).record(version(Record(OLD.id, [1, "title", 5], (1, 9), 7, {0: 30, 1: 20, 2: 0})))
    assert record is not None
    assert record.values == [5, None, 1]
    assert record.since == {0: 0, 2: 30}
    assert (record.source, record.base) == ((1, 9), 7)


def test_a_tombstone_has_a_record_and_no_values(engine: Engine) -> None:
    rows = reader(engine)
    tombstone = version(Record(OLD.id, None, (1, 9)))
    record = rows.record(tombstone)
    assert record is not None and record.source == (1, 9)
    assert rows.values(tombstone) is None
    assert rows.values(None) is None
    assert rows.values(Version(50, None)) is None


def test_only_a_change_makes_a_record_and_it_remembers_the_others(engine: Engine) -> None:
    rows = reader(engine)
    first = changed_record(rows, None, {"id": 1, "bid": 5}, "pace/1")
    assert first == Record(NEW.id, [5, None, 1], writer="pace/1")
    assert changed_record(rows, version(first), {"bid": 5}, "pace/1") is None
    second = changed_record(rows, version(first, 50), {"bid": 6}, "pace/1")
    assert second is not None
    assert second.values == [6, None, 1]
    assert last_changes(second, 60) == [60, 50, 50]
    third = changed_record(rows, version(second, 60), {"added": "x"}, "pace/1")
    assert third is not None
    assert last_changes(third, 70) == [60, 70, 50]


def test_a_deletion_is_written_once(engine: Engine) -> None:
    rows = reader(engine)
    record = Record(NEW.id, [5, None, 1])
    deleted = changed_record(rows, version(record), None, "pace/1")
    assert deleted == Record(NEW.id, None, writer="pace/1")
    assert changed_record(rows, version(deleted), None, "pace/1") is None
    assert changed_record(rows, None, None, "pace/1") is None


def test_ids_are_never_taken_for_times_of_change() -> None:
    """N3: a column changed with its own version is marked 0, and gets its timestamp when it is carried over."""
    base, since = carried_over(Record(1, [1, 2, 3], base=10, since={1: 0, 2: 20}), 30, changed=[2])
    assert (base, since) == (10, {1: 30, 2: 0})
    assert last_changes(Record(1, [1, 2, 4], base=base, since=since), 40) == [10, 30, 40]
