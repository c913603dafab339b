"""What one version of the code tells about itself and about what it made: plain values, so that another process can
have made them."""

from typing import Any

import msgspec


class FieldFacts(msgspec.Struct):
    """A field of a document, or a column that a handler writes ("campaigns.pace").

    kind         type of its values, as far as it is declared: a column type, "list", "dict" or "any"
    origin       where it comes from, for people: "ad_group.name", or "effective_bid_micros v3 (fields/bid.py)"
    code         fingerprint of its own function and inputs; of a copy: of its path
    version      of the function; 0 for a copy
    sensitive    its values are not shown
    function     (file, name) of its function, to tell it in a traceback; ("", "") for a copy
    """

    name: str
    kind: str
    origin: str
    code: int
    version: int = 0
    owner: str = ""
    critical: bool = False
    sensitive: bool = False
    function: tuple[str, str] = ("", "")


class TypeFacts(msgspec.Struct):
    """A document type. fields: in the order of Built.values."""

    name: str
    root: str
    servable: str
    fields: list[FieldFacts]


class HandlerFacts(msgspec.Struct):
    """A handler. columns: what it writes; unread: tables that it observes and no document reads."""

    name: str
    columns: list[FieldFacts]
    unread: list[str]


class CodeFacts(msgspec.Struct):
    """One version of the code. files: what was loaded from where the new code is; remarks: sentences about what this
    version asks for and the stored rows can't give."""

    generation: int
    types: list[TypeFacts]
    handlers: list[HandlerFacts]
    files: list[str] = []
    remarks: list[str] = []


class Trouble(msgspec.Struct):
    """Why something could not be computed. place: "bid.py:44", where the author's code ended; trace: of that code."""

    kind: str
    message: str
    place: str = ""
    trace: str = ""


class Built(msgspec.Struct):
    """A document as this version builds it.

    exists     False: its root row is not there
    values     stored values, aligned with TypeFacts.fields; None for a field that failed
    times_ns   how long each field's function took; 0 for a copy
    troubles   number of the field -> why it failed
    lost       why it could not be tried at all: the process that built it crashed or took too long
    """

    type: str
    key: bytes
    exists: bool = True
    servable: bool | None = None
    missing: list[str] = []
    values: list[Any] = []
    times_ns: list[int] = []
    troubles: dict[int, Trouble] = {}
    lost: Trouble | None = None


class Written(msgspec.Struct):
    """One row that a handler wrote. values: column -> stored value; None: it deleted its columns."""

    table: str
    key: bytes
    values: dict[str, Any] | None


class Called(msgspec.Struct):
    """A handler as it ran for one row."""

    handler: str
    table: str
    key: bytes
    writes: list[Written]
    time_ns: int = 0
    trouble: Trouble | None = None


class Input(msgspec.Struct):
    """What a field got. path: as the flows file or the decorator says it; value: for people, sensitive parts masked."""

    name: str
    path: str
    value: str


class Explained(msgspec.Struct):
    """A document with the inputs of each of its fields, in the order of TypeFacts.fields."""

    built: Built
    inputs: list[list[Input]]


class Batch(msgspec.Struct):
    """What came of some documents. calls: handlers that ran for rows that these documents read."""

    documents: list[Built]
    calls: list[Called]
