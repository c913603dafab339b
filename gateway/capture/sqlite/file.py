"""One SQLite database file: opened through SQLAlchemy, short transactions, errors in the product's own words."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from proto.errors import AdsIndexError, SettingsError, UnavailableError

_FILE = "sqlite:///"
_TEMPORARY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_PROTOCOL")


class SqliteFile:
    """A connection to the file that a URL names, opened again when another file takes its place.

    busy_ms: how long a statement waits for somebody else's lock before it raises UnavailableError.
    """

    def __init__(self, url: str, busy_ms: int = 10) -> None:
        self.path = _path(url)
        self._engine = create_engine(
            URL.create("sqlite", database=self.path),
            poolclass=NullPool,
            connect_args={"timeout": busy_ms / 1000, "isolation_level": None, "check_same_thread": False},
        )
        self._errors: type[Exception] = self._engine.dialect.loaded_dbapi.Error
        self._busy_ms = busy_ms
        self._place: tuple[int, int] = (0, 0)
        self._data_version = -1
        self._pooled: Any = None
        self._driver: Any = None
        self.generation = 0

    def changed(self) -> bool:
        """Whether another connection has committed, or another file has come, since the last call; True at first."""
        self._reopen_if_replaced()
        try:
            data_version = self._driver.execute("PRAGMA main.data_version").fetchone()[0]
        except self._errors as error:
            raise self._translated(error) from error
        if data_version == self._data_version:
            return False
        self._data_version = data_version
        return True

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows, raw. Text that is not UTF-8 comes as bytes."""
        try:
            found: list[tuple[Any, ...]] = self._driver.execute(sql, values).fetchall()
        except self._errors as error:
            if "decode to UTF-8" not in str(error):
                raise
            self._driver.text_factory = _text_or_bytes
            try:
                found = self._driver.execute(sql, values).fetchall()
            finally:
                self._driver.text_factory = str
        return found

    def one(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The first row of a statement that always has one."""
        row: tuple[Any, ...] = self._driver.execute(sql, values).fetchone()
        return row

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Runs a statement; how many rows it changed."""
        count: int = self._driver.execute(sql, values).rowcount
        return count

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One read transaction: everything inside sees one state of the database."""
        self._reopen_if_replaced()
        try:
            self._driver.execute("BEGIN")
            try:
                yield
            finally:
                self._driver.execute("ROLLBACK")
        except self._errors as error:
            raise self._translated(error) from error

    @contextmanager
    def writing(self, wait_ms: int | None = None) -> Iterator[None]:
        """One write transaction. wait_ms: how long to wait for the user's own writers, if not busy_ms."""
        self._reopen_if_replaced()
        try:
            self._driver.execute(f"PRAGMA busy_timeout = {self._busy_ms if wait_ms is None else wait_ms}")
            try:
                self._driver.execute("BEGIN IMMEDIATE")
                yield
                self._driver.execute("COMMIT")
            finally:
                if self._driver.in_transaction:
                    self._driver.execute("ROLLBACK")
                self._driver.execute(f"PRAGMA busy_timeout = {self._busy_ms}")
        except self._errors as error:
            raise self._translated(error) from error

    def close(self) -> None:
        if self._pooled is not None:
            self._pooled.close()
        self._pooled = self._driver = None
        self._place = (0, 0)

    def _reopen_if_replaced(self) -> None:
        """A connection goes on reading the file that it has opened, even after another one was moved over it."""
        try:
            status = os.stat(self.path)
        except FileNotFoundError:
            raise UnavailableError(f"{self.path}: the file is not there (moved or deleted); put it back") from None
        place = (status.st_dev, status.st_ino)
        if place == self._place:
            return
        self.close()
        try:
            self._pooled = self._engine.raw_connection()
            self._driver = self._pooled.driver_connection
            self._driver.execute("PRAGMA main.schema_version").fetchone()
        except self._errors as error:
            raise self._translated(error) from error
        self._place, self._data_version = place, -1
        self.generation += 1

    def _translated(self, error: Exception) -> AdsIndexError:
        name = getattr(error, "sqlite_errorname", "")
        if name.startswith(_TEMPORARY):
            return UnavailableError(f"{self.path}: {error} ({name})")
        if name.startswith("SQLITE_READONLY"):
            hint = "the change log is a table in the same file: give this process the right to write it"
            return SettingsError(f"{self.path} can't be written ({name}); {hint}")
        if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            return SettingsError(f"{self.path}: {error}; check the file with `sqlite3 FILE 'PRAGMA integrity_check'`")
        return SettingsError(f"{self.path}: {error} ({name})")


def is_other_folder(one: str, other: str) -> bool:
    """Whether `one` is a folder with something in it, and not `other` under another name."""
    try:
        with os.scandir(one) as entries:
            return any(entries) and not os.path.samefile(one, other)
    except OSError:
        return False


def _text_or_bytes(raw: bytes) -> str | bytes:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _path(url: str) -> str:
    """What stands behind sqlite:/// is the file's name as it is: %, ? and # mean themselves."""
    database = url.removeprefix(_FILE) if url.startswith(_FILE) else _database(url)
    if not database or database == ":memory:" or database.startswith("file:"):
        raise SettingsError(f"source URL {url!r} names no file; write sqlite:///FILE or sqlite:////absolute/FILE")
    path = os.path.abspath(database)
    if not os.path.isfile(path):
        raise SettingsError(f"source URL {url!r}: there is no file {path}")
    return path


def _database(url: str) -> str | None:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(f"source URL {url!r} can't be read; an SQLite file is sqlite:///FILE") from None
    if parsed.get_backend_name() != "sqlite":
        raise SettingsError(f"source URL {url!r}: only SQLite files can be sources here: sqlite:///FILE")
    return parsed.database
