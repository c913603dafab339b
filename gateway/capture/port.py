"""The port of a source database: its change log, its rows, its schema.

Terms. The *change log* is a table that triggers in the source keep: which key of which table was touched, numbered
without gaps. A *position* is the number of the last entry that a reader has seen; the log's order is commit order.
Every read happens in one short read transaction, so that rows and position belong together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from proto.events import TableRows

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class CapturedTable:
    """What is read of one table. `name` stands in the flows file, `source_table` in the database; key is in `columns`.

    types: of the columns, as the flows file declares them; values come raw all the same.
    """

    name: str
    source_table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def key_places(self) -> tuple[int, ...]:
        """Where the key columns stand among `columns`."""
        return tuple(self.columns.index(name) for name in self.key)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the source is. `name` is random, made when it is attached; a file with another one is another source.

    incarnation: 1 at first; replaces: name of the identity in whose place `attach --new-incarnation` put this one.
    """

    name: str
    incarnation: int
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the change log. at_ms is the trigger time of the entry at `position`, by which a log that was put back
    and went on differently is told apart; 0.0 when there is no entry yet."""

    position: int = 0
    at_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Poll:
    """What was touched in (begin, mark.position], with the rows as they are at `newest`. Whole when both are equal."""

    mark: Mark
    newest: int
    tables: list[TableRows]
    commit_ms: float = 0.0

    @property
    def whole(self) -> bool:
        """Nothing was committed between mark and the reading: no transaction is cut in two."""
        return self.mark.position == self.newest


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of one table in key order, as they are at `position`. last: key of the last row, None at the end."""

    rows: list[tuple[Any, ...]]
    position: int
    last: Key | None


@dataclass(frozen=True, slots=True)
class Shape:
    """What `refresh` found.

    version     number that every change of the schema moves
    digest      of the whole schema, without what the product has installed
    missing     table -> why it can't be captured, and what to do about it
    signatures  table -> text that differs when its rows may have changed past its triggers (either was made again)
    ordered     tables whose key order in the source is the order of encoded keys
    """

    version: int
    digest: str
    missing: Mapping[str, str] = field(default_factory=dict)
    signatures: Mapping[str, str] = field(default_factory=dict)
    ordered: frozenset[str] = frozenset()


class Capture(Protocol):
    """One source database. Raises UnavailableError when it is locked or away; every call may be repeated."""

    def identity(self) -> Identity | None:
        """None when the source is not attached."""
        ...

    def attach(self, replaces: Identity | None = None) -> Identity:
        """Makes the change log, if there is none. replaces: makes a new identity, of the next incarnation."""
        ...

    def other_reader(self, folder: str) -> str:
        """The data folder that the source feeds, when it is another than this one and still there; else ""."""
        ...

    def claim(self, folder: str) -> str:
        """Notes in the source that its changes go to this data folder: a change log is trimmed behind one reader.

        Returns other_reader, and notes nothing when there is one.
        """
        ...

    def detach(self) -> None:
        """Removes triggers, change log and identity: everything that `attach` and `refresh` have made."""
        ...

    def changed(self) -> bool:
        """Whether anything was committed since the last call that returned True; True at first. Takes microseconds."""
        ...

    def refresh(self, tables: Sequence[CapturedTable]) -> Shape:
        """Looks at the schema, installs the triggers that are missing, removes those of other tables.

        Tables that can't be captured are left out of what `poll` returns, until the next refresh.
        """
        ...

    def newest(self) -> Mark:
        """The end of the change log."""
        ...

    def check(self, mark: Mark, identity: str) -> None:
        """Raises SettingsError when this is not the source, or not the history, that was read up to `mark`; `poll`
        checks the same from now on."""
        ...

    def poll(self, after: Mark, limit: int) -> Poll | None:
        """At most `limit` entries above `after`. None: schema or identity have changed since `refresh` and `check`.

        Raises SettingsError when the log went back, or entries are missing.
        """
        ...

    def chunk(self, table: str, after: Key | None, limit: int, through: Key | None = None) -> Chunk | None:
        """The next `limit` rows in key order with after < key (<= through). None: the schema has changed."""
        ...

    def rows(self, table: str, keys: Sequence[Key]) -> Chunk | None:
        """The rows with these keys, those that are there. None: the schema has changed."""
        ...

    def trim(self, before: int, limit: int) -> int:
        """Removes at most `limit` entries below `before`; returns how many."""
        ...

    def close(self) -> None: ...
