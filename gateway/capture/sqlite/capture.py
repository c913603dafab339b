"""An SQLite database as a source: attach, look at the schema, read the change log with its rows, read chunks, trim."""

import hashlib
from collections.abc import Sequence

from gateway.capture.port import CapturedTable, Chunk, Identity, Key, Mark, Poll, Shape
from gateway.capture.sqlite.file import SqliteFile, is_other_folder
from gateway.capture.sqlite.missing import obstacle
from gateway.capture.sqlite.reads import TableReads
from gateway.capture.sqlite.schema import Schema, TableShape, quoted
from gateway.capture.sqlite.triggers import CHANGES, SOURCE, change_log_sql, same_trigger, stamped, triggers
from gateway.capture.stopped import stopped
from proto.errors import SettingsError

_WHERE_IT_STANDS = (
    f"SELECT (SELECT max(sequence) FROM {CHANGES}), (SELECT at_ms FROM {CHANGES} WHERE sequence = ?), identity "
    f"FROM {SOURCE}"
)
_ENTRIES = (
    f"SELECT name, count(*), max(sequence), at_ms FROM {CHANGES} WHERE sequence > ? AND sequence <= ? GROUP BY name"
)
"""at_ms: beside max(), SQLite takes the other columns from the row that has the maximum."""

_SCHEMA_WAIT_MS = 250
"""How long installing triggers waits for the user's writers: it is rare, and should not starve."""


class SqliteCapture:
    """Implements gateway.capture.port.Capture. One thread at a time. busy_ms: how long to wait for a lock."""

    def __init__(self, url: str, busy_ms: int = 10) -> None:
        self._file = SqliteFile(url, busy_ms)
        self.url = url
        self._reads: dict[str, TableReads] = {}
        self._seen: tuple[int, int] = (-1, -1)
        self._identity = ""

    def identity(self) -> Identity | None:
        with self._file.reading():
            return self._read_identity()

    def attach(self, replaces: Identity | None = None) -> Identity:
        with self._file.writing(_SCHEMA_WAIT_MS):
            present = self._read_identity()
            if present is not None and (replaces is None or present.replaces == replaces.name):
                return present
            for statement in change_log_sql(1):
                self._file.run(statement)
            self._file.run(f"DELETE FROM {SOURCE}")
            incarnation = replaces.incarnation + 1 if replaces else 1
            values = (incarnation, replaces.name if replaces else "")
            made_of = "(identity, incarnation, replaces) SELECT lower(hex(randomblob(8))), ?, ?"
            self._file.run(f"INSERT INTO {SOURCE} {made_of}", values)
            made = self._read_identity()
        assert made is not None
        return made

    def other_reader(self, folder: str) -> str:
        with self._file.reading():
            return self._other_reader(folder)

    def claim(self, folder: str) -> str:
        claimed = (folder, self._file.path)
        with self._file.reading():
            if self._claimed() == claimed:
                return ""
        with self._file.writing(_SCHEMA_WAIT_MS):
            if other := self._other_reader(folder):
                return other
            present = self._columns(SOURCE)
            for column in ("folder", "file"):
                if column not in present:
                    self._file.run(f"ALTER TABLE {SOURCE} ADD COLUMN {column} TEXT")
            self._file.run(f"UPDATE {SOURCE} SET folder = ?, file = ?", claimed)
        return ""

    def detach(self) -> None:
        with self._file.writing(_SCHEMA_WAIT_MS):
            for trigger in Schema(self._file).triggers:
                self._file.run(f"DROP TRIGGER {quoted(trigger)}")
            for table in (CHANGES, SOURCE):
                self._file.run(f"DROP TABLE IF EXISTS {table}")
        self._seen = (-1, -1)

    def changed(self) -> bool:
        return self._file.changed()

    def refresh(self, tables: Sequence[CapturedTable]) -> Shape:
        with self._file.reading():
            schema, shapes = self._look(tables)
            if not self._pending(schema, tables, shapes):
                return self._adopt(schema, tables, shapes)
        with self._file.writing(_SCHEMA_WAIT_MS):
            schema, shapes = self._look(tables)  # again: it may have changed before the lock
            self._widen_change_log(max((len(table.key) for table in tables), default=1))
            for statement in self._pending(schema, tables, shapes):
                self._file.run(statement)
        with self._file.reading():
            schema, shapes = self._look(tables)
            return self._adopt(schema, tables, shapes)

    def newest(self) -> Mark:
        with self._file.reading():
            return Mark(*self._file.one(f"SELECT coalesce(max(sequence), 0), coalesce(at_ms, 0) FROM {CHANGES}"))

    def schema_version(self) -> int:
        """Grows with each change of the schema, whoever makes it."""
        with self._file.reading():
            version: int = self._file.one("PRAGMA main.schema_version")[0]
        return version

    def check(self, mark: Mark, identity: str) -> None:
        self._identity = identity
        with self._file.reading():
            if self._checked_newest(mark) is None:
                raise SettingsError(stopped(self.url, "another database has taken its place"))

    def poll(self, after: Mark, limit: int) -> Poll | None:
        file = self._file
        with file.reading():
            if not self._schema_is_known():
                return None
            newest = self._checked_newest(after)
            if newest is None:
                return None
            begin, through = after.position, min(newest, after.position + limit)
            if begin == newest:
                return Poll(after, newest, [])
            found = file.all(_ENTRIES, (begin, through))
            if sum([entries for _, entries, _, _ in found]) != through - begin:
                why = "entries of its change log were removed before they were read here"
                raise SettingsError(stopped(self.url, why))
            at_ms = next(at_ms for _, _, last, at_ms in found if last == through)
            reads = self._reads
            rows = [reads[name].touched(begin, through, entries) for name, entries, _, _ in found if name in reads]
        return Poll(Mark(through, at_ms), newest, rows, at_ms)

    def chunk(self, table: str, after: Key | None, limit: int, through: Key | None = None) -> Chunk | None:
        with self._file.reading():
            if not self._schema_is_known() or table not in self._reads:
                return None
            rows, last = self._reads[table].page(after, limit, through)
            return Chunk(rows, self._position(), last)

    def rows(self, table: str, keys: Sequence[Key]) -> Chunk | None:
        with self._file.reading():
            if not self._schema_is_known() or table not in self._reads:
                return None
            return Chunk(self._reads[table].named(keys), self._position(), None)

    def trim(self, before: int, limit: int) -> int:
        with self._file.writing():
            oldest = self._file.one(f"SELECT min(sequence) FROM {CHANGES}")[0]
            if oldest is None or oldest >= before:
                return 0
            newest = self._position()  # stays, so that the numbers go on from it
            return self._file.run(f"DELETE FROM {CHANGES} WHERE sequence < ?", (min(before, newest, oldest + limit),))

    def close(self) -> None:
        self._file.close()

    def _look(self, tables: Sequence[CapturedTable]) -> tuple[Schema, dict[str, TableShape | None]]:
        """The schema as the open transaction sees it, and the tables' shapes, by name in the flows file."""
        schema = Schema(self._file)
        return schema, {table.name: schema.shape(table.source_table) for table in tables}

    def _pending(
        self, schema: Schema, tables: Sequence[CapturedTable], shapes: dict[str, TableShape | None]
    ) -> list[str]:
        """Statements that make the triggers those that are wanted; a trigger that is right is left alone."""
        wanted: dict[str, str] = {}
        for table in tables:
            shape = shapes[table.name]
            if shape is not None and obstacle(table, schema, shape) is None:
                wanted.update(triggers(table, shape))
        present = schema.triggers
        wrong = [name for name, sql in present.items() if name not in wanted or not same_trigger(sql, wanted[name])]
        absent = [name for name in wanted if name not in present or name in wrong]
        return [
            *(f"DROP TRIGGER {quoted(name)}" for name in wrong),
            *(stamped(wanted[name], schema.version) for name in absent),
        ]

    def _adopt(self, schema: Schema, tables: Sequence[CapturedTable], shapes: dict[str, TableShape | None]) -> Shape:
        missing, signatures, reads = {}, {}, {}
        utf8 = self._file.one("PRAGMA main.encoding")[0] == "UTF-8"
        for table in tables:
            shape = shapes[table.name]
            found = obstacle(table, schema, shape)
            if found is not None:
                missing[table.name] = found.sentences()
            if shape is None or found is not None:
                continue
            reads[table.name] = TableReads(self._file, table, shape, utf8)
            own = [schema.triggers[name] for name in sorted(triggers(table, shape))]
            text = repr((shape.sql, shape.root_page, own)).encode("utf-8", "surrogatepass")
            signatures[table.name] = hashlib.blake2b(text, digest_size=12).hexdigest()
        self._reads, self._seen = reads, (schema.version, self._file.generation)
        ordered = frozenset(name for name, read in reads.items() if read.ordered)
        return Shape(schema.version, schema.digest, missing, signatures, ordered)

    def _widen_change_log(self, key_columns: int) -> None:
        present = len(self._columns(CHANGES)) - 3
        for place in range(present, key_columns):
            self._file.run(f"ALTER TABLE {CHANGES} ADD COLUMN k{place}")

    def _schema_is_known(self) -> bool:
        version: int = self._file.one("PRAGMA main.schema_version")[0]
        return (version, self._file.generation) == self._seen

    def _position(self) -> int:
        position: int = self._file.one(f"SELECT coalesce(max(sequence), 0) FROM {CHANGES}")[0]
        return position

    def _checked_newest(self, mark: Mark) -> int | None:
        """The newest position, after a look whether the log still goes through `mark`; None: another identity."""
        found = self._file.all(_WHERE_IT_STANDS, (mark.position,))
        newest, at_ms, identity = found[0] if found else (0, None, "")
        newest = newest or 0
        if identity != self._identity:
            return None
        if newest < mark.position:
            why = f"its change log went back, from {mark.position} to {newest}: it was restored"
            raise SettingsError(stopped(self.url, why))
        if mark.position and at_ms != mark.at_ms:
            why = f"its change log is another one at {mark.position}: it was restored, and went on"
            raise SettingsError(stopped(self.url, why))
        return newest

    def _other_reader(self, folder: str) -> str:
        reader, file = self._claimed()
        return reader if file == self._file.path and is_other_folder(reader, folder) else ""

    def _claimed(self) -> tuple[str, str]:
        """Data folder, and database file as it was called then: a copy of it is another source. "" each: never."""
        if "file" not in self._columns(SOURCE):
            return "", ""
        folder, file = self._file.one(f"SELECT folder, file FROM {SOURCE}")
        return folder or "", file or ""

    def _columns(self, table: str) -> list[str]:
        return [name for _, name, *_ in self._file.all(f"PRAGMA main.table_info({table})")]

    def _read_identity(self) -> Identity | None:
        if not self._file.all("SELECT 1 FROM main.sqlite_master WHERE name = ?", (SOURCE,)):
            return None
        found = self._file.all(f"SELECT identity, incarnation, replaces FROM {SOURCE}")
        return Identity(*found[0]) if found else None
