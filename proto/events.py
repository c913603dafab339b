"""What travels between the parts: source units, notifications, publications. All are msgpack arrays."""

from functools import cache
from typing import Any, Literal

import msgspec

from proto.lane import Lane

UPDATES = "updates"  # topics updates.high, .medium, .low: one partition a source
NOTIFICATIONS = "notifications"  # topics notifications.high, .medium, .low
PUBLICATIONS = "publications"  # changed documents, in commit order
DOCUMENTS = "documents"  # what readers tail
CAPTURES = "captures"  # how far each source is captured
BACKFILLS = "backfills"  # how far the files of a feed are read
OWN_TOPICS = (UPDATES, NOTIFICATIONS, PUBLICATIONS, DOCUMENTS, CAPTURES, BACKFILLS)


UnitKind = Literal["stream", "chunk", "done", "parked", "unparked", "fed", "backfill"]
FEEDS: tuple[UnitKind, ...] = ("fed", "backfill")


@cache
def lane_topic(name: str, lane: Lane) -> str:
    """`("updates", Lane.HIGH)` -> `"updates.high"`."""
    return f"{name}.{lane.name.lower()}"


class TableRows(msgspec.Struct, array_like=True, gc=False):
    """Rows of one table, as the database gave them: raw values, aligned with `columns` (key columns among them).

    deleted: keys (values of the table's key columns, in the flows file's order) of rows that are gone.
    table is the name in the flows file.
    """

    table: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    deleted: list[tuple[Any, ...]] = []


class Unit(msgspec.Struct, array_like=True, gc=False):
    """Everything that a source committed in (begin, position], with the rows as they are at `position` (rules.md,
    Source units).

    kind          "stream": from the change log; "chunk": of a bootstrap or a comparison; "done": the named tables
                  are bootstrapped; "parked": the named tables are parked because of `reason` (a used column is
                  gone); "unparked"; "fed": rows of a feed, told in the lanes of their columns; "backfill": rows of
                  a feed's files, told in the unit's own lane
    incarnation   of the source; 1 at first, higher after `attach --new-incarnation`
    waits_for     position of the last unit of a higher lane that was sent before this one; apply only after that
    part, parts   a unit above unit_rows_max is cut; parts are applied in one Repo transaction
    first         a chunk of the first bootstrap: rows are written without notifications, a rebuild follows "done"
    span          of a chunk: (after, through), encoded keys. It holds every row of its table in after < key <= through;
                  what the Repo has there beside them, with an older version, is gone from the source. None: only the
                  named rows
    columns       of a "done": for each of its `names`, the columns with which the table was read (Table.read_columns)
    commit_ms     wall clock of the newest source commit in it, ms since 1970 (trigger time); traces only
    capture_ms    wall clock when the gateway read it
    job, row      of a backfill: which one, and how many rows it had sent before this unit

    A feed ("fed", "backfill") writes tables of its own among the rows of `source`, in partitions of its own, and takes
    no part in the order of the source's units: `position` is the version of its rows, on the feed's own scale.
    """

    source: str
    kind: UnitKind
    incarnation: int
    begin: int
    position: int
    lane: int
    tables: list[TableRows]
    waits_for: int = 0
    part: int = 0
    parts: int = 1
    first: bool = False
    commit_ms: float = 0.0
    capture_ms: float = 0.0
    names: tuple[str, ...] = ()
    reason: str = ""
    span: tuple[bytes, bytes] | None = None
    columns: tuple[tuple[tuple[str, str, int], ...], ...] = ()
    job: str = ""
    row: int = 0


class RowChange(msgspec.Struct, array_like=True, gc=False):
    """One changed row of a notification.

    columns      names of the columns that really changed; empty: the row was deleted or is new (all changed)
    references   name of each changed reference or collection -> (old parent's key or None, new parent's key or
                 None), encoded keys
    """

    table: str
    key: bytes
    columns: tuple[str, ...] = ()
    references: dict[str, tuple[bytes | None, bytes | None]] | None = None


class Notification(msgspec.Struct, array_like=True, gc=False):
    """Changes of one commit, in one lane. On the log it is `commit timestamp, 8 bytes big-endian` + this, so that it
    is encoded before the commit timestamp is known.

    lane         of the cause
    commit_ms, capture_ms   as in Unit; apply_ms: wall clock when the updater committed
    """

    lane: int
    changes: list[RowChange]
    commit_ms: float = 0.0
    capture_ms: float = 0.0
    apply_ms: float = 0.0


class Cause(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The change behind a build: its commit timestamp in the Repo, its lane, and when it passed each stage (wall
    clock, ms)."""

    change: int
    lane: int
    commit_ms: float = 0.0
    capture_ms: float = 0.0
    apply_ms: float = 0.0


class DocumentChanges(msgspec.Struct, array_like=True, gc=False):
    """Publications to come: documents of one type whose content changed in this commit. On the log: commit timestamp
    + this.

    causes: for each key the position of its cause in `reasons`.
    """

    type: str
    keys: list[bytes]
    causes: list[int]
    reasons: list[Cause]
    build_ms: float = 0.0


class DeltaDocument(msgspec.Struct, array_like=True, gc=False):
    """A message of the documents topic.

    kind       "document": `content` is an encoded DocumentRecord (tombstone: its values are None); "schema":
               `content` is an encoded Schema; "heartbeat": everything up to `watermark` is published or was found
               unchanged
    sequence   commit timestamp of the content; consumers keep the highest
    lane, the times up to publish_ms, change   of the newest change that it was built for, as in Cause; commit_ms of a
               heartbeat: of the oldest change that is not published yet, 0.0: none is known
    """

    kind: Literal["document", "schema", "heartbeat"]
    type: str = ""
    key: bytes = b""
    sequence: int = 0
    content: bytes = b""
    watermark: int = 0
    lane: int = 0
    commit_ms: float = 0.0
    capture_ms: float = 0.0
    apply_ms: float = 0.0
    build_ms: float = 0.0
    publish_ms: float = 0.0
    change: int = 0


class ShortcutRow(msgspec.Struct, array_like=True, gc=False):
    """A message of a short cut's topic: a row that was touched, whether or not these columns changed.

    key        stored values of the table's key columns, in their order
    position   of the source; of all messages of one (source, key) the one with the highest (incarnation, position)
               counts, and a later message wins over an equal one. The others are late, or repeated
    columns    name -> stored value; None: the row was deleted
    """

    table: str
    source: str
    key: list[Any]
    incarnation: int
    position: int
    columns: dict[str, Any] | None
    commit_ms: float = 0.0
    capture_ms: float = 0.0


encode = msgspec.msgpack.Encoder().encode
decode_unit = msgspec.msgpack.Decoder(Unit).decode
decode_cause = msgspec.msgpack.Decoder(Cause).decode
decode_delta = msgspec.msgpack.Decoder(DeltaDocument).decode
decode_shortcut_row = msgspec.msgpack.Decoder(ShortcutRow).decode
_decode_notification = msgspec.msgpack.Decoder(Notification).decode
_decode_document_changes = msgspec.msgpack.Decoder(DocumentChanges).decode


def decode_notification(message: bytes) -> tuple[int, Notification]:
    """A message of a notifications topic -> (commit timestamp, notification)."""
    return int.from_bytes(message[:8], "big"), _decode_notification(message[8:])


def decode_document_changes(message: bytes) -> tuple[int, DocumentChanges]:
    """A message of the publications topic -> (commit timestamp, changes)."""
    return int.from_bytes(message[:8], "big"), _decode_document_changes(message[8:])
