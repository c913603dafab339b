"""`adsindex doc ID --lineage`: of each field of a document the rows, columns and functions that it was made from."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ops.addresses import Address, shown_address, shown_id, source_of
from ops.cli import render
from ops.cli.exit_codes import NOT_FOUND, OK
from ops.document_view import StoredDocument
from ops.lookup.lineage import DocumentLineage, FieldLineage, Nowhere, Origin, SignalOrigin, read_lineage
from ops.opened import DataFolder
from ops.times import ago, clock_time, clock_time_of, iso, iso_of
from proto.errors import InvalidMessageError
from repo.api import Snapshot
from repo.versions import StoredVersions

_ROWS_SHOWN = 5
"""Of one input of one field, in the table for people."""


def show_lineage(
    folder: DataFolder, snapshot: Snapshot, found: Address, document: StoredDocument | None, json: bool
) -> int:
    """document: None when it is deleted, or was never there. Returns the exit code."""
    lineage = _lineage(folder, snapshot, found)
    if lineage is None:
        what = "no lineage was recorded for" if document is not None else "there is no document"
        render.note(f"{what} {found.text}" + ("; the next build records it" if document is not None else ""))
        return NOT_FOUND
    if json:
        render.print_json(_as_json(found, document, lineage, folder.clock.now_ms()))
    else:
        _print(folder.sources(), found, document, lineage, folder.clock.now_ms())
    return OK if document is not None else NOT_FOUND


def lineage_json(
    folder: DataFolder, snapshot: Snapshot, found: Address, document: StoredDocument | None
) -> dict[str, Any] | None:
    """For programs; None when nothing was recorded."""
    lineage = _lineage(folder, snapshot, found)
    return None if lineage is None else _as_json(found, document, lineage, folder.clock.now_ms())


def _lineage(folder: DataFolder, snapshot: Snapshot, found: Address) -> DocumentLineage | None:
    with folder.repo.snapshot() as newest:
        return read_lineage(snapshot, StoredVersions(newest, folder.schemas), found.document, found.key)


def _as_json(
    found: Address, document: StoredDocument | None, lineage: DocumentLineage, now_ms: float
) -> dict[str, Any]:
    values: Mapping[str, Any] = {} if document is None else document.fields
    return {
        "type": found.document,
        "id": shown_id(found.key),
        "source": source_of(found.key),
        "sequence": None if document is None else document.sequence,
        "deleted": document is None,
        "deleted_at": -lineage.root if document is None and lineage.root < 0 else None,
        "read_first_at": lineage.at,
        "read_first": iso_of(lineage.at),
        "generation": lineage.generation,
        "fields": {
            field.name: {
                "value": values.get(field.name),
                "handler": {"name": field.handler, "version": field.version} if field.handler else None,
                "origins": [_origin_json(origin) for origin in field.origins],
                "signals": [_signal_json(origin, now_ms) for origin in field.signals],
            }
            for field in lineage.fields
            if document is not None
        },
    }


def _origin_json(origin: Origin) -> dict[str, Any]:
    return {
        "path": origin.path,
        "parameter": origin.parameter or None,
        "table": origin.table,
        "id": _id(origin.key),
        "column": origin.column or None,
        "state": origin.state,
        "row_version": origin.row_version or None,
        "changed_at": origin.changed_at,
        "changed": None if origin.changed_at is None else iso_of(origin.changed_at),
        "position": origin.position and {"incarnation": origin.position[0], "position": origin.position[1]},
        "writer": origin.writer or None,
        "deleted_at": origin.deleted_at or None,
        "nowhere": origin.nowhere
        and {
            "table": origin.nowhere.table,
            "id": shown_id(origin.nowhere.key),
            "columns": list(origin.nowhere.columns),
        },
    }


def _signal_json(origin: SignalOrigin, now_ms: float) -> dict[str, Any]:
    return {
        "path": origin.path,
        "parameter": origin.parameter or None,
        "signal": origin.signal,
        "field": origin.field or None,
        "key": origin.key,
        "state": origin.state,
        "version": origin.version or None,
        "fetched": iso(origin.fetched_ms) if origin.fetched_ms else None,
        "age_ms": round(now_ms - origin.fetched_ms) if origin.fetched_ms else None,
    }


def _id(key: bytes | None) -> Any:
    """None, too, for a reference value that no row of the table can have."""
    try:
        return None if key is None else shown_id(key)
    except InvalidMessageError:
        return None


def _print(
    sources: Sequence[str], found: Address, document: StoredDocument | None, lineage: DocumentLineage, now_ms: float
) -> None:
    address = shown_address(found.document, found.key, sources)
    if document is None:
        root = f"its row was deleted {clock_time_of(-lineage.root)} UTC" if lineage.root < 0 else "it has no row"
        render.print_title(address, "deleted", root)
        return
    render.print_title(address, document.state(), f"changed {document.when(now_ms)}")
    render.print_line(
        f"made of what was read by the build of {clock_time_of(lineage.at)} UTC, generation {lineage.generation}"
    )
    render.print_line("")
    rows = [
        line
        for field in lineage.fields
        for line in _lines(sources, field, render.shown(document.fields.get(field.name)), now_ms)
    ]
    render.print_table(("field", "made by", "from", "changed (UTC)", "written by", "value"), rows)


def _lines(sources: Sequence[str], field: FieldLineage, value: str, now_ms: float) -> Iterator[tuple[str, ...]]:
    """One line an origin; the field's name, function and value stand on the first."""
    made_by = f"{field.handler} v{field.version}" if field.handler else ""
    shown: dict[tuple[str, str], int] = {}
    front = (field.name, made_by)
    for origin in field.origins:
        place = (origin.parameter, origin.path)
        shown[place] = shown.get(place, 0) + 1
        if shown[place] <= _ROWS_SHOWN or not origin.path:
            yield (*front, *_origin_line(sources, origin), value)
            front, value = ("", ""), ""
    for signal in field.signals:
        yield (*front, *_signal_line(signal, now_ms), value)
        front, value = ("", ""), ""
    for (_, path), count in shown.items():
        if path and count > _ROWS_SHOWN:
            yield ("", "", f"... and {count - _ROWS_SHOWN} more rows of {path} (--json shows all)", "", "", "")
    if front[0]:
        yield (*front, "no rows", "", "", value)


def _origin_line(sources: Sequence[str], origin: Origin) -> tuple[str, str, str]:
    of = f" ({origin.parameter})" if origin.parameter and origin.parameter != origin.column else ""
    if origin.state in ("read", "unwritten"):
        assert origin.key is not None
        column = f".{origin.column}" if origin.column else ""
        changed = _changed(origin)
        position = f" @ {origin.position[1]}" if origin.position else ""
        return f"{shown_address(origin.table, origin.key, sources)}{column}{of}", changed, f"{origin.writer}{position}"
    return f"{_nowhere(sources, origin, origin.nowhere)}{of}", _changed(origin), ""


def _signal_line(origin: SignalOrigin, now_ms: float) -> tuple[str, str, str]:
    """The age stands where rows have who wrote them."""
    of = f" ({origin.parameter})" if origin.parameter and origin.parameter != origin.field else ""
    field = f".{origin.field}" if origin.field else ""
    name = f"signal {origin.signal}/{render.shown(origin.key)}{field}{of}"
    if not origin.fetched_ms:
        return name, "", origin.state
    version = f" v{origin.version}" if origin.version else ""
    return name, clock_time(origin.fetched_ms), f"{origin.state}{version}, {ago(origin.fetched_ms, now_ms)}"


def _nowhere(sources: Sequence[str], origin: Origin, nowhere: Nowhere | None) -> str:
    if nowhere is None:  # an address that a function made up
        return f"{shown_address(origin.table, origin.key or b'', sources)} is not there"
    columns = ", ".join(nowhere.columns)
    reference = f"{shown_address(nowhere.table, nowhere.key, sources)}.{columns}"
    if origin.state == "null":
        return f"{reference} is NULL"
    key = _id(origin.key)
    return f"{reference} = {'a value that no row can have' if key is None else key}: no such row in {origin.table}"


def _changed(origin: Origin) -> str:
    if origin.state == "read":
        return "not kept" if origin.changed_at is None else clock_time_of(origin.changed_at)
    if origin.deleted_at:
        return f"deleted {clock_time_of(origin.deleted_at)}"
    return "never written" if origin.state == "unwritten" else ""
