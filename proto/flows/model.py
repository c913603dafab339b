"""The flows file as values: what every service is configured with. Made by proto.flows.loader, immutable, compared
by `generation`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from proto.lane import Lane

Kind = Literal["control", "content"]
OnFailure = Literal["use_last", "omit", "block"]
ReadColumns = tuple[tuple[str, str, int], ...]
"""(name, type, lane) of each column, and of the key: what stored rows depend on."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where in the flows file something stands, for error texts."""

    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """writer "" : the source; otherwise the name of the handler that derives it."""

    name: str
    type: str
    lane: Lane
    writer: str = ""
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """Child to parent: `columns` of the child hold the parent's key, in the order of the parent's key columns."""

    name: str
    table: str
    columns: tuple[str, ...]
    parent: str


@dataclass(frozen=True, slots=True)
class Collection:
    """Parent to children: rows of `child` whose `columns` hold the parent's key, ordered, bounded."""

    name: str
    table: str
    child: str
    columns: tuple[str, ...]
    order_by: str = ""
    descending: bool = False
    limit: int = 1000


@dataclass(frozen=True, slots=True)
class Table:
    """One table. source_table "" : no database has it: a feed, or a table of the application, written by handlers only.

    key      names of the key columns; they are among `columns`
    sources  names of the sources that have it; empty: every source that is attached
    feed     rows come from files and by RPC; `sources` says among whose rows they are
    columns  by name, in the file's order: source columns first, then derived ones
    """

    name: str
    source_table: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    references: Mapping[str, Reference]
    collections: Mapping[str, Collection]
    lane: Lane
    sources: tuple[str, ...] = ()
    at: Location = Location()
    feed: bool = False

    @property
    def from_outside(self) -> bool:
        """Whether its rows come from a database or are fed; handlers may add columns to them."""
        return self.feed or bool(self.source_table)

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Group name -> its columns in order: "high", "medium", "low" for the source's columns, by lane (the key
        columns stand in the group of the table's lane), and "@HANDLER" for the columns that a handler derives."""
        grouped: dict[str, list[str]] = {}
        for column in self.columns.values():
            if self.from_outside or column.writer:
                name = f"@{column.writer}" if column.writer else column.lane.name.lower()
                grouped.setdefault(name, []).append(column.name)
        return {name: tuple(names) for name, names in grouped.items()}

    def read_columns(self) -> ReadColumns:
        """What the stored rows depend on: when it gains something, the table must be read again."""
        own = [(column.name, column.type, int(column.lane)) for column in self.columns.values() if not column.writer]
        return (*own, (",".join(self.key), "key", 0))

    def key_group(self) -> str:
        """The group that says whether a row is there: the one with the key; in a table of the application the first."""
        return self.columns[self.key[0]].lane.name.lower() if self.from_outside else next(iter(self.groups()))


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a document: a plain copy along `path`, or computed by `handler` ("module:function" or a
    registered name)."""

    name: str
    path: str = ""
    handler: str = ""
    kind: Kind = "control"
    owner: str = ""
    critical: bool = False
    fresh_within_s: float | None = None
    at: Location = Location()


@dataclass(frozen=True, slots=True)
class Document:
    """A document type. servable: an SQL expression over paths; "" : always."""

    name: str
    root: str
    fields: Mapping[str, Field]
    servable: str = ""
    at: Location = Location()


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Columns of a captured table that also go straight to a topic of their own, without the joins."""

    name: str
    table: str
    columns: tuple[str, ...]
    topic: str
    at: Location = Location()


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """After `failures` failed calls in a row nobody is asked for open_s; then one call is tried, and after each that
    fails it is left alone twice as long, open_s_max at most."""

    failures: int = 5
    open_s: float = 1.0
    open_s_max: float = 60.0


@dataclass(frozen=True, slots=True)
class Signal:
    """A pull signal: what another service knows about a key.

    fetch        "module:function", or an HTTP URL; one call for many keys
    key          a path from the document's root
    fields       names of what an answer holds, with their column types
    max_age_s    an older value is asked for again; absent_max_age_s: the same for "there is nothing about this key"
    timeout_ms   of one call
    on_failure   what a document gets when its value is too old and can't be had: use_last: the last good one;
                 omit: NULL; block: it keeps its last content
    batch_keys_max, response_bytes_max   of one call; value_bytes_max: of what is known about one key
    cache_keys_max                       kept in memory
    """

    name: str
    fetch: str
    key: str
    fields: Mapping[str, str]
    max_age_s: float
    absent_max_age_s: float
    timeout_ms: float = 200.0
    on_failure: OnFailure = "use_last"
    batch_keys_max: int = 500
    cache_keys_max: int = 100_000
    value_bytes_max: int = 16 << 10
    response_bytes_max: int = 4 << 20
    breaker: BreakerLimits = BreakerLimits()
    at: Location = Location()

    def calls(self) -> dict[str, float]:
        """How it is called and cached, under the flows file's names: no document depends on it."""
        return {
            "max_age_s": self.max_age_s,
            "absent_max_age_s": self.absent_max_age_s,
            "timeout_ms": self.timeout_ms,
            "batch_keys_max": self.batch_keys_max,
            "cache_keys_max": self.cache_keys_max,
            "value_bytes_max": self.value_bytes_max,
            "response_bytes_max": self.response_bytes_max,
            "breaker.failures": self.breaker.failures,
            "breaker.open_s": self.breaker.open_s,
            "breaker.open_s_max": self.breaker.open_s_max,
        }


@dataclass(frozen=True, slots=True)
class Flows:
    """A whole flows file. generation: hash of its meaning (not of its comments); the handlers' versions are added by
    argus."""

    tables: Mapping[str, Table]
    documents: Mapping[str, Document]
    generation: int
    file: str = ""
    text: str = field(default="", repr=False, compare=False)
    shortcuts: Mapping[str, Shortcut] = field(default_factory=dict)
    signals: Mapping[str, Signal] = field(default_factory=dict)
