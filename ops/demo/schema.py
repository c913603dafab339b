"""The sample ads database: opens the SQLite file and makes its tables."""

import sqlite3
from importlib import resources
from pathlib import Path


def schema_sql() -> str:
    """The text of schema.sql."""
    return resources.files("ops.demo").joinpath("schema.sql").read_text(encoding="utf-8")


def connect(file: str | Path) -> sqlite3.Connection:
    """A connection that begins transactions only when told to, and waits up to 30 s for another writer.

    WAL, so that the product's reads never hold the editor up.
    """
    connection = sqlite3.connect(file, timeout=30.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def create(connection: sqlite3.Connection) -> None:
    """Makes all tables in an empty database."""
    connection.executescript(schema_sql())
