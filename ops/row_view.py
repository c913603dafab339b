"""A stored row with what is known about each of its columns: value, when it last changed, who wrote it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ops.addresses import source_of
from proto.errors import TooOldError
from proto.flows.model import Table
from proto.record import Record, decode_record
from repo.api import Repo, Snapshot, Version
from repo.rows import Schemas, last_changes

OLDEST_KEPT = "oldest kept"
"""What a change is called whose version is the oldest that retention has left."""
_HISTORY_MAX = 1000


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """changed_at: commit timestamp of its last change."""

    name: str
    value: Any
    group: str
    changed_at: int
    writer: str


@dataclass(frozen=True, slots=True)
class StoredRow:
    """known: a version of the row itself is kept, not only of what handlers wrote beside it, which may outlive it.
    deleted_at: 0 while the row is there. parked: group -> why its newest source row could not be stored."""

    known: bool
    columns: tuple[StoredColumn, ...]
    deleted_at: int
    deleted_by: str
    parked: dict[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One version of a row's group or of a document, compared with the one before: name -> (old, new).

    what: "inserted", "changed", "deleted", "parked"; OLDEST_KEPT, to which whoever shows it changes "inserted"
    """

    at: int
    writer: str
    group: str
    what: str
    values: dict[str, tuple[Any, Any]]


def read_row(snapshot: Snapshot, schemas: Schemas, table: Table, key: bytes) -> StoredRow | None:
    """All groups of a row; None when nothing was ever stored under this key (or not yet, at this snapshot)."""
    columns: dict[str, StoredColumn] = {}
    parked: dict[str, str] = {}
    versions = {group: snapshot.read(table.name, group, [key])[0] for group in table.groups()}
    for group, version in versions.items():
        record = None if version is None else _record(version)
        if version is None or record is None:
            continue
        if record.parked:
            parked[group] = record.parked
        for column in _columns(snapshot, schemas, table.name, key, group, version, record):
            columns[column.name] = column
    main = versions[table.key_group()]
    if all(version is None for version in versions.values()):
        return None
    ordered = [columns.pop(name) for name in table.columns if name in columns]
    newest = None if main is None else _record(main)
    gone = main is not None and not parked and (newest is None or newest.values is None)
    deleted_by = writer_of(newest, key) if gone else ""
    deleted_at = main.commit_timestamp if gone and main is not None else 0
    return StoredRow(main is not None, (*ordered, *columns.values()), deleted_at, deleted_by, parked)


def _columns(
    snapshot: Snapshot, schemas: Schemas, table: str, key: bytes, group: str, version: Version, record: Record
) -> Iterator[StoredColumn]:
    """Who wrote a column is who wrote the version in which it last changed, as long as that one is kept."""
    if record.values is None:
        return
    names = schemas.names(record.schema)
    changed = last_changes(record, version.commit_timestamp)
    writers = {version.commit_timestamp: writer_of(record, key)}
    if set(changed) - set(writers):
        for older in snapshot.history(table, group, key, _HISTORY_MAX):
            writers.setdefault(older.commit_timestamp, writer_of(_record(older), key))
    unknown = record.writer or f"source {source_of(key)}"
    for name, value, changed_at in zip(names, record.values, changed, strict=True):
        yield StoredColumn(name, value, group, changed_at, writers.get(changed_at, unknown))


def row_changes(snapshot: Snapshot, schemas: Schemas, table: Table, key: bytes, limit: int) -> list[Change]:
    """Newest first; a deletion shows what there was."""
    changes: list[Change] = []
    for group in table.groups():
        versions = snapshot.history(table.name, group, key, limit + 1)
        changes += _group_changes(versions, schemas, group, key)
    return sorted(changes, key=lambda change: -change.at)[:limit]


def _group_changes(versions: Sequence[Version], schemas: Schemas, group: str, key: bytes) -> Iterator[Change]:
    """Versions that only carry a newer source position are left out."""
    records = [_record(version) for version in versions]
    for at, (version, record) in enumerate(zip(versions, records, strict=True)):
        before = records[at + 1] if at + 1 < len(records) else None
        old, new = _values(before, schemas), _values(record, schemas)
        differences = compared(old, new)
        reason, reason_before = (item.parked if item is not None else "" for item in (record, before))
        if reason != reason_before:
            differences["(parked)"] = (reason_before or None, reason or None)
        if differences:
            what = (
                "inserted"
                if old is None and new is not None
                else "deleted"
                if new is None and old is not None
                else "changed"
            )
            yield Change(
                version.commit_timestamp, writer_of(record, key), group, "parked" if reason else what, differences
            )


def is_collected(repo: Repo, timestamp: int) -> bool:
    """Whether what there was just before `timestamp` is kept no longer: a first version was perhaps not the first."""
    try:
        repo.snapshot_at(timestamp - 1).close()
    except TooOldError:
        return True
    return False


def compared(old: dict[str, Any] | None, new: dict[str, Any] | None) -> dict[str, tuple[Any, Any]]:
    """Name -> (old, new) of everything that differs; None stands for what is not there."""
    old, new = old or {}, new or {}
    names = dict.fromkeys([*new, *old])
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}


def writer_of(record: Record | None, key: bytes) -> str:
    """Who wrote a version, for people: the source and its position, or a handler."""
    if record is None:
        return ""
    return record.writer or f"source {source_of(key)} @ {record.source[1]}"


def _record(version: Version) -> Record | None:
    return None if version.value is None else decode_record(version.value)


def _values(record: Record | None, schemas: Schemas) -> dict[str, Any] | None:
    if record is None or record.values is None:
        return None
    return dict(zip(schemas.names(record.schema), record.values, strict=True))
