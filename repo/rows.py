"""Rows over records: schemas kept once, values aligned with the columns of today, versions told apart by when a
column changed."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from proto.codec import encode_key
from proto.errors import CorruptionError, SettingsError
from proto.record import Record, Schema, decode_record
from repo.api import Repo, Transaction, Version
from repo.system import SCHEMAS, STATE, decode_names, encode


class SchemaNames(Protocol):
    """Whatever knows the column names of a schema id."""

    def names(self, schema_id: int) -> tuple[str, ...]: ...


class Schemas:
    """All schemas that stored records name. Register at start what will be written; look up what is met."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._known: dict[int, tuple[str, ...]] = {}

    def register(self, wanted: Sequence[tuple[str, ...]]) -> list[Schema]:
        """Stores those that are new, in one commit; again when another process was faster with one of them."""
        schemas = [Schema(names) for names in wanted]
        while not self._all_stored(schemas):
            pass
        self._known.update({schema.id: schema.names for schema in schemas})
        return schemas

    def names(self, schema_id: int) -> tuple[str, ...]:
        """Raises CorruptionError when no such schema was ever stored."""
        known = self._known.get(schema_id)
        if known is None:
            with self._repo.snapshot() as snapshot:
                (stored,) = snapshot.read(SCHEMAS, STATE, [encode_key((schema_id,))])
            if stored is None or stored.value is None:
                raise CorruptionError(f"a record names schema {schema_id}, which was never stored")
            known = self._known[schema_id] = decode_names(stored.value)
        return known

    def all(self) -> list[tuple[str, ...]]:
        """The names of each that is stored now."""
        found: list[tuple[bytes, Version]] = []
        with self._repo.snapshot() as snapshot:
            while page := snapshot.scan(SCHEMAS, STATE, after=found[-1][0] if found else b""):
                found += page
        return [decode_names(version.value or b"") for _, version in found]

    def _all_stored(self, schemas: list[Schema]) -> bool:
        """False after a conflict. Raises SettingsError when two lists of names have one id."""
        keys = [encode_key((schema.id,)) for schema in schemas]
        with self._repo.snapshot() as snapshot:
            found = snapshot.read(SCHEMAS, STATE, keys)
            transaction = Transaction(snapshot.timestamp)
        for schema, key, stored in zip(schemas, keys, found, strict=True):
            if stored is None or stored.value is None:
                transaction.write(SCHEMAS, key, STATE, encode(schema.names))
            elif decode_names(stored.value) != schema.names:
                raise SettingsError(f"columns {schema.names} and {decode_names(stored.value)} share an id: rename one")
        return not transaction.writes or self._repo.commit([transaction])[0].committed


class GroupReader:
    """Decodes the records of one group of one table into lists aligned with today's columns (None for a column the
    record lacks)."""

    def __init__(self, schemas: SchemaNames, schema: Schema) -> None:
        self.schema = schema
        self._schemas = schemas
        self._id = schema.id
        self._moves: dict[int, list[int]] = {}

    def record(self, version: Version | None) -> Record | None:
        """The decoded record, values aligned; None for no version or a tombstone without a record."""
        if version is None or version.value is None:
            return None
        record = decode_record(version.value)
        if record.schema != self._id and record.values is not None:
            return self._aligned(record)
        return record

    def records(self, versions: Sequence[Version | None]) -> list[Record | None]:
        """`record` of each, with little to pay for each."""
        own, aligned = self._id, self._aligned
        found: list[Record | None] = []
        for version in versions:
            if version is None or version[1] is None:
                found.append(None)
                continue
            record = decode_record(version[1])
            if record.schema != own and record.values is not None:
                record = aligned(record)
            found.append(record)
        return found

    def values(self, version: Version | None) -> list[Any] | None:
        """Only the values; None when the row is not there."""
        record = self.record(version)
        return None if record is None else record.values

    def _aligned(self, record: Record) -> Record:
        moves = self._moves.get(record.schema)
        old = self._schemas.names(record.schema)
        if moves is None:
            moves = self._moves[record.schema] = [old.index(name) if name in old else -1 for name in self.schema.names]
        assert record.values is not None
        record.values = [record.values[at] if at >= 0 else None for at in moves]
        if record.since is not None:
            record.since = {now: record.since[at] for now, at in enumerate(moves) if at in record.since}
        return record


def changed_record(
    reader: GroupReader, stored: Version | None, changes: Mapping[str, Any] | None, writer: str
) -> Record | None:
    """The record that a handler's write makes of the stored one; None when nothing changes.

    changes: column -> stored value; the others are carried over, with the time of their last change (N3); None: delete.
    """
    before = reader.record(stored)
    old = None if before is None else before.values
    if changes is None:
        return None if old is None else Record(reader.schema.id, None, writer=writer)
    names = reader.schema.names
    values = list(old) if old is not None else [None] * len(names)
    for name, value in changes.items():
        values[names.index(name)] = value
    if old is None or before is None or stored is None:
        return Record(reader.schema.id, values, writer=writer)
    changed = [at for at, (was, now) in enumerate(zip(old, values, strict=True)) if was != now]
    if not changed:
        return None
    base, since = carried_over(before, stored.commit_timestamp, changed)
    return Record(reader.schema.id, values, base=base, since=since, writer=writer)


def carried_over(before: Record, commit_timestamp: int, changed: Sequence[int]) -> tuple[int, dict[int, int]]:
    """(base, since) of the record that follows `before` (committed at `commit_timestamp`) and changes these columns."""
    since = dict.fromkeys(changed, 0)
    if before.since:
        since = {at: was or commit_timestamp for at, was in before.since.items()} | since
    return before.base or commit_timestamp, since


def last_changes(record: Record, commit_timestamp: int) -> list[int]:
    """For each column the commit timestamp of its last change; `commit_timestamp` is the record's own."""
    since = record.since or {}
    count = len(record.values or ())
    return [since.get(at, record.base) or commit_timestamp for at in range(count)]
