"""What is wrong, or could be better, with an SQLite database as a source, and how to mend it. Changes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.capture.port import CapturedTable
from gateway.capture.sqlite.file import SqliteFile
from gateway.capture.sqlite.missing import obstacle
from gateway.capture.sqlite.schema import Schema, TableShape
from gateway.capture.sqlite.triggers import CHANGES, same_trigger, triggers
from proto.errors import AdsIndexError, UnavailableError

SQLITE_VERSION_MIN = (3, 31, 0)
"""Row values, generated columns in BEFORE triggers."""
_BUSY_MS = 500
_ENTRIES_MANY = 100_000


@dataclass(frozen=True, slots=True)
class Finding:
    """level: "error" must be mended, "warning" should be, "fine" is well. mend: what to do, "" when it is fine."""

    level: Literal["error", "warning", "fine"]
    subject: str
    text: str
    mend: str = ""


def examine(url: str, tables: Sequence[CapturedTable]) -> list[Finding]:
    """All findings, those that are fine among them. Never raises for what is wrong with the source."""
    try:
        file = SqliteFile(url, _BUSY_MS)
    except AdsIndexError as error:
        return [Finding("error", "database", str(error), "correct --source, or put the file there")]
    try:
        with file.reading():
            found = [*_server(file), *_capture(file, tables)]
        return [*found, *_writable(file)]
    except AdsIndexError as error:
        return [Finding("error", "database", str(error), "see what holds or damages the file, then run doctor again")]
    finally:
        file.close()


def _server(file: SqliteFile) -> Iterator[Finding]:
    version = str(file.one("SELECT sqlite_version()")[0])
    if tuple(int(part) for part in version.split(".")[:3]) < SQLITE_VERSION_MIN:
        wanted = ".".join(map(str, SQLITE_VERSION_MIN))
        yield Finding("error", "SQLite", f"version {version} is too old", f"use a Python with SQLite {wanted} or later")
    else:
        yield Finding("fine", "SQLite", f"version {version}")
    mode = file.one("PRAGMA main.journal_mode")[0]
    if mode == "wal":
        yield Finding("fine", "journal mode", "WAL: readers and writers don't wait for each other")
    else:
        yield Finding(
            "warning", "journal mode", f"{mode}: each read of the gateway locks writers out for some milliseconds",
            f"run once, when the application is stopped: sqlite3 {file.path} 'PRAGMA journal_mode = WAL'",
        )  # fmt: skip


def _capture(file: SqliteFile, tables: Sequence[CapturedTable]) -> Iterator[Finding]:
    schema = Schema(file)
    attached = schema.has(CHANGES)
    if not attached:
        yield Finding("warning", "change log", "not attached yet", "adsindex source attach, or adsindex run")
    else:
        count = file.one(f"SELECT coalesce(max(sequence) - min(sequence) + 1, 0) FROM {CHANGES}")[0]
        many = "it is trimmed while `adsindex run` runs; if nothing is to capture any more: adsindex source detach"
        yield Finding(
            "warning" if count > _ENTRIES_MANY else "fine",
            "change log",
            f"{count} entries",
            many if count > _ENTRIES_MANY else "",
        )
    for table in tables:
        shape = schema.shape(table.source_table)
        found = obstacle(table, schema, shape)
        if found is not None:
            yield Finding("error", f"table {table.name}", *found)
        elif shape is not None:
            yield from _table(schema, table, shape, attached)


def _table(schema: Schema, table: CapturedTable, shape: TableShape, attached: bool) -> Iterator[Finding]:
    subject = f"table {table.name}"
    wanted = triggers(table, shape)
    lost = [name for name, sql in wanted.items() if not same_trigger(schema.triggers.get(name, ""), sql)]
    if attached and lost:
        yield Finding(
            "warning", subject, f"triggers are missing or altered: {', '.join(lost)}",
            "start `adsindex run`: it installs them and compares the whole table",
        )  # fmt: skip
    else:
        yield Finding("fine", subject, "can be captured" + (", triggers are in place" if attached else ""))
    not_null = {name.lower() for name in (*shape.not_null, shape.row_id)}
    nullable = [name for name in table.key if name.lower() not in not_null]
    if nullable:
        yield Finding(
            "warning", subject, f"key column {', '.join(nullable)} may be NULL; such rows become dead letters",
            "declare it NOT NULL",
        )  # fmt: skip
    if any(unique.columns.count("") and not unique.terms for unique in shape.unique):
        yield Finding(
            "warning", subject, "a unique index on an expression can't be read: what a REPLACE deletes by it is missed",
            "avoid INSERT OR REPLACE here, or write the index more plainly",
        )  # fmt: skip


def _writable(file: SqliteFile) -> Iterator[Finding]:
    try:
        with file.writing(_BUSY_MS):
            pass
        yield Finding("fine", "write access", "the change log can be kept in the file")
    except UnavailableError as error:
        yield Finding("warning", "write access", str(error), "a long transaction of another program? run doctor again")
    except AdsIndexError as error:
        yield Finding(
            "error", "write access", str(error), "give this process the right to write the file and its folder"
        )
