"""The source as it is right now, beside what was captured of it: read, never changed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.capture.sqlite.lookup import SqliteLookup
from gateway.progress import Progress, ProgressLog
from ops.lookup.touching import Touching
from ops.opened import DataFolder
from proto.codec import decode_key
from proto.errors import AdsIndexError
from proto.events import CAPTURES
from proto.flows.model import Flows, Table
from ui.why.facts import Capture

_ENTRIES_MAX = 10_000
_MEMBERS_MAX = 500
"""Rows that are looked at to see whether they belong to a collection."""
_COMPARABLE = ("int", "str", "bytes")
"""Types of key columns whose stored form is what the database holds."""


class SourceLook(NamedTuple):
    """in_source: whether the root row is there; None: that can't be seen, because of `unseen`."""

    in_source: bool | None
    unseen: str
    capture: Capture


def look(
    folder: DataFolder, urls: Mapping[str, str], source: str, table: Table, key: bytes, touching: Touching,
    tables: Collection[str], failure: str,
) -> SourceLook:  # fmt: skip
    """table, key: of the root row. tables: that the document reads. failure: of the gateway's step, "" if it works."""
    progress = progress_of(folder, source)
    position = None if progress is None else progress.position
    reading = sorted({task.table for task in progress.tasks} & set(tables)) if progress is not None else []
    nothing = Capture(source, position, None, 0, (), tuple(reading), failure)
    if source not in urls:
        unseen = f"the data folder does not know where source {source} is"
        return SourceLook(None, unseen, _failing(nothing, unseen))
    try:
        lookup = SqliteLookup(urls[source])
    except AdsIndexError as error:
        return SourceLook(None, str(error), _failing(nothing, str(error)))
    try:
        in_source, unseen = _has(lookup, table, key)
        return SourceLook(in_source, unseen, _capture(lookup, folder.flows, nothing, touching))
    except AdsIndexError as error:
        return SourceLook(None, str(error), _failing(nothing, str(error)))
    finally:
        lookup.close()


def _capture(lookup: SqliteLookup, flows: Flows, known: Capture, touching: Touching) -> Capture:
    newest = lookup.newest()
    if newest is None:
        return _failing(known, "it is not attached")
    if known.position is None or newest <= known.position:
        return Capture(known.source, known.position, newest, 0, (), known.reading, known.error)
    touched: list[str] = []
    looked = 0
    for table, key in lookup.entries(known.position, _ENTRIES_MAX):
        address = touching.raw_key(table, key)
        if not address and touching.member_columns(table) and looked < _MEMBERS_MAX:
            looked += 1
            address = _member(lookup, flows.tables[table], key, touching)
        if address:
            touched.append(address)
    waiting = newest - known.position
    return Capture(known.source, known.position, newest, waiting, tuple(touched), known.reading, known.error)


def _member(lookup: SqliteLookup, table: Table, key: Sequence[Any], touching: Touching) -> str:
    """The address of a row that is a member of a collection of the document in the source, though not here; else ""."""
    columns = touching.member_columns(table.name)
    named = dict(zip(table.key, key, strict=False))
    values = lookup.values(table.source_table, columns, named)
    is_member = values is not None and touching.is_member(table.name, dict(zip(columns, values, strict=True)))
    return f"{table.name}/{','.join(map(str, named.values()))}" if is_member else ""


def _failing(capture: Capture, error: str) -> Capture:
    return Capture(capture.source, capture.position, None, 0, (), capture.reading, capture.error or error)


def _has(lookup: SqliteLookup, table: Table, key: bytes) -> tuple[bool | None, str]:
    """(whether the row is there, why that can't be seen)."""
    if not table.source_table:
        return None, f"no database has {table.name}"
    if any(table.columns[name].type not in _COMPARABLE for name in table.key):
        return None, f"the key of {table.name} is stored in another form"
    try:
        return lookup.has(table.source_table, table.key, decode_key(key)[1:]), ""
    except AdsIndexError as error:
        return None, str(error)


def progress_of(folder: DataFolder, source: str) -> Progress | None:
    """None when nothing of it was ever captured."""
    return ProgressLog(folder.log, source).load() if folder.log.partitions(CAPTURES) else None
