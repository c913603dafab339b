"""What the rules look at: everything that is known about one document, as values. `ops.lookup.facts` collects it."""

from dataclasses import dataclass
from typing import Any

from ui.traces import Trace


@dataclass(frozen=True, slots=True)
class Row:
    """The root row in the Repo. ever: a version of it is kept, not only of what handlers wrote beside it; deleted_at:
    commit timestamp, 0 while it is there.

    in_source: it is in the database right now; None: that could not be looked up, because of `unseen`.
    """

    address: str
    ever: bool
    deleted_at: int
    deleted_by: str
    in_source: bool | None
    unseen: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """The document as it is stored. sequence 0: it never was; exists: it is not deleted.

    built_at    timestamp that its newest build has read at; 0: never built
    served      the version that readers have is servable; None: they have none
    """

    sequence: int
    exists: bool
    servable: bool
    built_at: int
    served: bool | None


@dataclass(frozen=True, slots=True)
class Capture:
    """How far the source is read. newest None: it can't be asked, because of `error`.

    waiting     entries of its change log that are not captured
    touched     rows of this document among them
    reading     tables of this document that are still to be read, or read again
    """

    source: str
    position: int | None
    newest: int | None
    waiting: int
    touched: tuple[str, ...]
    reading: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that concerns the document, and what stands before it.

    about       the row that it is about
    since_ms    wall clock; 0.0: not known
    estimate_ms until its turn, by what a message took so far; None: not known
    paused      "since 10:40:12 UTC by ana: bad prices"; "": it is not paused. resume: the command that ends the pause
    error       of the step that should take it; "": it does not fail
    """

    lane: str
    ahead: int
    about: str
    since_ms: float = 0.0
    estimate_ms: float | None = None
    paused: str = ""
    resume: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter. column: the column or field to blame. own: it is of the document's own row."""

    stage: str
    subject: str
    column: str
    reason: str
    attempts: int
    last_ms: float
    own: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """Long work that will build the document. error "": its last slice did not fail."""

    id: str
    kind: str
    lane: str
    state: str
    done: int
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class Stale:
    """An input that is newer than the document."""

    address: str
    column: str
    changed_at: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A row that the document should read and that is not there. pointer: "ads/4711.ad_group_id".

    address "": the reference is NULL. decides: the condition is not met for want of it. parked: so is its table.
    feed: its rows are sent; by_key: the reference is the key of the row that points.
    """

    path: str
    address: str
    pointer: str
    decides: bool
    parked: bool
    feed: bool = False
    by_key: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """What a signal said when the document was last built. state: as in proto.record.SignalReading.

    known       it ever said something about the key; fetched_ms: wall clock, when that was; version: of the value
    max_age_s   an older value should be replaced; on_failure: what the document gets when it can't be
    blocks      because of it the document keeps its last content
    """

    name: str
    key: str
    state: str
    known: bool
    fetched_ms: float
    version: int
    max_age_s: float
    on_failure: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class Value:
    """What stands at a path of the condition. called: the row for people, "campaign 381"; exists: it is there."""

    path: str
    called: str
    address: str
    column: str
    value: Any
    changed_at: int
    writer: str
    exists: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the condition that is not true. outcome False or None (NULL)."""

    text: str
    demand: str
    outcome: bool | None
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row of the document whose changes were dropped as stale. dropped_ms, healed_ms: wall clock; 0.0: not yet."""

    address: str
    reason: str
    dropped_ms: float
    healed_ms: float


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader that says where it stands. behind: messages of the documents topic that it has not read, the document's
    among them; since_ms: wall clock when it last said so."""

    name: str
    behind: int
    since_ms: float


@dataclass(frozen=True, slots=True)
class Now:
    """What moves: known for the present only.

    running     roles that live processes do
    start       the command that starts what is missing
    first       no document of this type was ever built: the first bootstrap is under way
    apply, notice, publication   what waits in front of updater, argus, publisher; None: nothing of this document
    """

    running: frozenset[str]
    start: str
    first: bool
    capture: Capture
    letters: tuple[Letter, ...]
    jobs: tuple[Job, ...]
    stale: tuple[Stale, ...]
    apply: Waiting | None
    notice: Waiting | None
    publication: Waiting | None
    publishing_paused: str
    dropped: tuple[Dropped, ...]
    readers: tuple[Reader, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one document. called: "ad 4711"; as_of: the timestamp that was asked for, None: now (then `now` is there).

    parked_rows     address of a row that it reads -> why its newest source row could not be stored
    parked_tables   table that it reads -> why it can't be captured, and what to do
    parts           of the condition, that are not true
    condition       as it stands in the flows file; "": always servable
    kept_h          hours for which versions are kept
    """

    type: str
    id: Any
    source: str
    address: str
    called: str
    now_ms: float
    as_of: int | None
    row: Row
    document: Document
    parked_rows: dict[str, str]
    parked_tables: dict[str, str]
    missing: tuple[Missing, ...]
    signals: tuple[Signal, ...]
    condition: str
    parts: tuple[Part, ...]
    trace: Trace | None
    now: Now | None
