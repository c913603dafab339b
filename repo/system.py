"""Tables that the product keeps for itself, beside those of the flows file: their names, groups, and records.

TABLE               rows of a source or of handlers; groups by lane and by handler (Table.groups)
document:TYPE       content and lineage (VERSIONED, large), build (NEWEST)
ref:TABLE.NAME      index: parent key -> children of a reference
col:TABLE.NAME      index: parent key, order value -> children of a collection (TABLE is the parent)
reads:TYPE          index: row that a build read through ctx.read -> documents
signals:TYPE        index: signal and version -> documents in which its values are
built:TYPE          index: generation and hour of the newest build -> documents
ack:HANDLER         NEWEST: up to which commit a handler has handled a row
_sources            NEWEST: how far each source is applied, and, in a group of its own, what is known of its tables
_jobs _generations _outlines _schemas _parts _feeds    NEWEST
_drop_orders _dropped _drops    NEWEST: what was dropped on purpose (repo/drops.py)
"""

from functools import lru_cache

import msgspec

from proto.codec import encode_key
from proto.errors import SettingsError
from proto.flows.model import Collection, Document, Flows, ReadColumns, Reference, Table
from repo.api import Keep, TableSpec

SOURCES, JOBS, GENERATIONS, SCHEMAS, PARTS = "_sources", "_jobs", "_generations", "_schemas", "_parts"
OUTLINES, FEED_STATES = "_outlines", "_feeds"
DROP_ORDERS, DROPPED, DROPS = "_drop_orders", "_dropped", "_drops"
STATE = "state"  # the one group of the tables above, but for
APPLIED = "applied"  # of SOURCES
CONTENT, LINEAGE, BUILD, ACK = "content", "lineage", "build", "ack"


class Applied(msgspec.Struct, array_like=True):
    """How far a source is applied. Key: (source,), group APPLIED. Written in the transaction of each unit, so it is
    small.

    applied  lane -> position of the last unit applied
    """

    incarnation: int = 1
    applied: dict[int, int] = {}


class SourceState(Applied, array_like=True):
    """The same, and what units say of tables now and then; see repo.source_states. Key: (source,), group STATE.

    bootstrapped  tables whose bootstrap is complete
    parked        table -> reason
    columns       table -> the columns with which it was last read, whole (Table.read_columns)
    """

    bootstrapped: tuple[str, ...] = ()
    parked: dict[str, str] = {}
    columns: dict[str, ReadColumns] = {}


class Generation(msgspec.Struct, array_like=True):
    """Flows and functions that were admitted.

    number       1, 2, 3, ... in the order of admission; documents carry it
    hash         of what they mean: equal for workers that may share the work
    text         the flows file
    description  what they are made of (argus.describe): part -> item -> text
    since        part -> number of the generation that last changed it
    applied      admitted by `flows apply`, not by the start of a worker
    """

    number: int
    hash: int
    text: str = ""
    description: dict[str, dict[str, str]] = {}
    since: dict[str, int] = {}
    admitted_ms: float = 0.0
    applied: bool = False


class FeedState(msgspec.Struct, array_like=True):
    """What became of the rows that the newest backfill of a feed has sent. Key: (source, table). Written in the
    transaction of each unit.

    rows       applied, of those that `job` has sent
    written    brought other values, or were not there before
    unchanged  equal what was stored
    older      were refused by the version guard: something newer is stored
    """

    job: str
    rows: int = 0
    written: int = 0
    unchanged: int = 0
    older: int = 0


class GenerationState(msgspec.Struct, array_like=True):
    """Key ("admitted",): the generations that may run.

    next   admitted, and takes over when no worker of the current one runs any more
    last   the highest number that was ever given
    built  part -> signature of what was last brought up to date for it, whole
    past   hash -> number, of generations that were replaced
    """

    current: Generation
    next: Generation | None = None
    last: int = 1
    built: dict[str, int] = {}
    past: dict[int, int] = {}


class JobState(msgspec.Struct, array_like=True, kw_only=True):
    """Long work, a slice at a time. Key: (id,).

    kind      "fanout": documents of a changed row; "refresh": all documents of a type; "signals": those of a type whose
              signals are too old; "handle": a handler over all rows of a table
    at        the change's commit timestamp (fanout) or the timestamp at which the job began
    cursor    kind's own position: up to there it was handed out to processes; b"": all of it
    shares    process -> what it was handed out and has still to do, in the kind's own form
    attempts  failures of its present slice, one after another; error: the last one's reason
    unused    holds a place in rows that are stored
    """

    id: str
    kind: str
    lane: int
    at: int
    target: str
    change: bytes = b""
    cursor: bytes = b""
    done: int = 0
    unused: int = 0
    state: str = "running"  # running, paused, done, cancelled
    started_ms: float = 0.0
    finished_ms: float = 0.0
    attempts: int = 0
    error: str = ""
    shares: dict[str, bytes] = {}

    @property
    def is_live(self) -> bool:
        """Running or paused: it may still be worked on."""
        return self.state in ("running", "paused")


encode = msgspec.msgpack.Encoder().encode
decode_applied = msgspec.msgpack.Decoder(Applied).decode
decode_source_state = msgspec.msgpack.Decoder(SourceState).decode
_decode_generation_state = msgspec.msgpack.Decoder(GenerationState).decode
decode_generation = msgspec.msgpack.Decoder(Generation).decode
decode_job_state = msgspec.msgpack.Decoder(JobState).decode
decode_feed_state = msgspec.msgpack.Decoder(FeedState).decode
decode_names = msgspec.msgpack.Decoder(tuple[str, ...]).decode


def decode_generation_state(value: bytes) -> GenerationState:
    """Raises SettingsError for what an older program has written."""
    try:
        return _decode_generation_state(value)
    except msgspec.ValidationError:
        raise SettingsError(
            "this data folder was made by an older version: `adsindex rebuild`, then `adsindex run`, makes it again"
        ) from None


@lru_cache(maxsize=1024)
def source_key(source: str) -> bytes:
    """Key of a source's row in _sources."""
    return encode_key((source,))


def feed_key(source: str, table: str) -> bytes:
    """Key of a feed's row in _feeds."""
    return encode_key((source, table))


def document_table(document_type: str) -> str:
    return f"document:{document_type}"


def reference_index(reference: Reference) -> str:
    return f"ref:{reference.table}.{reference.name}"


def collection_index(collection: Collection) -> str:
    return f"col:{collection.table}.{collection.name}"


def reads_index(document_type: str) -> str:
    return f"reads:{document_type}"


def built_index(document_type: str) -> str:
    return f"built:{document_type}"


def signals_index(document_type: str) -> str:
    return f"signals:{document_type}"


def ack_table(handler: str) -> str:
    return f"ack:{handler}"


def system_specs() -> list[TableSpec]:
    """The tables that every installation has, whatever its flows."""
    names = (
        SOURCES, JOBS, GENERATIONS, OUTLINES, SCHEMAS, FEED_STATES, PARTS, DROP_ORDERS, DROPPED, DROPS
    )  # fmt: skip
    specs = {name: TableSpec(name, {STATE: Keep.NEWEST}) for name in names}
    specs[SOURCES].groups[APPLIED] = Keep.NEWEST
    return list(specs.values())


def specs(flows: Flows, handlers: tuple[str, ...] = ()) -> list[TableSpec]:
    """Every table that an installation with these flows and handlers needs."""
    found = system_specs()
    for table in flows.tables.values():
        found += _table_specs(table)
    for document in flows.documents.values():
        found += _document_specs(document)
    return found + [TableSpec(ack_table(handler), {ACK: Keep.NEWEST}) for handler in handlers]


def _table_specs(table: Table) -> list[TableSpec]:
    rows = TableSpec(table.name, dict.fromkeys(table.groups(), Keep.VERSIONED))
    references = [TableSpec(reference_index(item), {"": Keep.INDEX}) for item in table.references.values()]
    collections = [TableSpec(collection_index(item), {"": Keep.INDEX}) for item in table.collections.values()]
    return [rows, *references, *collections]


def _document_specs(document: Document) -> list[TableSpec]:
    groups = {CONTENT: Keep.VERSIONED, LINEAGE: Keep.VERSIONED, BUILD: Keep.NEWEST}
    return [
        TableSpec(document_table(document.name), groups, large=frozenset({CONTENT, LINEAGE})),
        TableSpec(reads_index(document.name), {"": Keep.INDEX}),
        TableSpec(built_index(document.name), {"": Keep.INDEX}),
        TableSpec(signals_index(document.name), {"": Keep.INDEX}),
    ]
