"""`adsindex history`: what changed from version to version of a document or a row, when, and by whom."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from cyclopts import Parameter

from ops.addresses import Address, any_address, row_address, shown_address
from ops.cli import render
from ops.cli.exit_codes import NOT_FOUND, OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.document_view import whole_of
from ops.opened import DataFolder, opened
from ops.row_view import OLDEST_KEPT, Change, compared, is_collected, row_changes
from ops.times import ago_of, clock_time_of, iso_of
from proto.record import decode_document
from repo.api import Repo, Snapshot
from repo.system import CONTENT, document_table


def history(
    address: Annotated[str, Parameter(help="[TYPE/]ID of a document, or TABLE/ID of a row.")],
    /,
    *,
    column: Annotated[str | None, Parameter(help="Only versions in which this column or field changed.")] = None,
    row: Annotated[bool, Parameter(negative=(), show_default=False, help="The address is a row's, TABLE/ID.")] = False,
    limit: Annotated[int, Parameter(help="At most so many versions, the newest.")] = 20,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Show how a document or a row changed: from version to version, newest first.

    For example:

        adsindex history ad/4711
        adsindex history campaigns/12 --column daily_budget_micros

    Exit code 3: nothing was ever stored under this key.
    """
    with opened(data) as folder:
        sources = folder.sources()
        found = (row_address if row else any_address)(folder.flows, sources, address)
        with folder.repo.snapshot() as snapshot:
            changes = _as_kept(folder.repo, _changes(folder, snapshot, found, limit))
        if not changes:
            render.note(f"nothing was ever stored under {found.text}")
            return NOT_FOUND
        if column is not None:
            changes = [change for change in changes if column in change.values]
        if json:
            for change in changes:
                render.print_json(_as_json(change))
        else:
            name = found.document or found.table
            _print(shown_address(name, found.key, sources), changes, column, folder.clock.now_ms())
        return OK


def _changes(folder: DataFolder, snapshot: Snapshot, found: Address, limit: int) -> list[Change]:
    if not found.document:
        return row_changes(snapshot, folder.schemas, folder.flows.tables[found.table], found.key, limit)
    versions = snapshot.history(document_table(found.document), CONTENT, found.key, limit + 1)
    records = [None if version.value is None else decode_document(version.value) for version in versions]
    shown = [whole_of(record, folder.schemas) for record in records]
    changes = []
    for at, version in enumerate(versions[:limit]):
        new, old = shown[at], shown[at + 1] if at + 1 < len(shown) else None
        what = "deleted" if new is None else "inserted" if old is None else "changed"
        changes.append(Change(version.commit_timestamp, "build", CONTENT, what, compared(old, new)))
    return changes


def _as_kept(repo: Repo, changes: Sequence[Change]) -> list[Change]:
    """Of what may have had older versions, which are collected, nobody knows whether it was inserted then."""
    oldest = {change.group: change for change in changes}
    unknown = {change.at for change in oldest.values() if change.what == "inserted" and is_collected(repo, change.at)}
    return [replace(change, what=OLDEST_KEPT) if change.at in unknown else change for change in changes]


def _as_json(change: Change) -> dict[str, Any]:
    return {
        "at": change.at,
        "time": iso_of(change.at),
        "what": change.what,
        "group": change.group,
        "writer": change.writer,
        "changes": {name: {"old": old, "new": new} for name, (old, new) in change.values.items()},
    }


def _print(address: str, changes: Sequence[Change], column: str | None, now_ms: float) -> None:
    render.print_title(address, f"{len(changes)} version{'' if len(changes) == 1 else 's'}, newest first")
    for change in changes:
        by = f"by {change.writer}" if change.writer else ""
        render.print_line("")
        ago = ago_of(change.at, now_ms)
        render.print_title(f"{clock_time_of(change.at)} UTC", ago, change.what, by, f"({change.group}, {change.at})")
        values = {name: pair for name, pair in change.values.items() if column in (None, name)}
        render.print_table(("", "", ""), [_line(change, name, *pair) for name, pair in values.items()], header=False)


def _line(change: Change, name: str, old: Any, new: Any) -> tuple[str, str, str]:
    before, after = render.shown(old), render.shown(new)
    if change.what in ("inserted", OLDEST_KEPT):
        return f"  {name}", after, ""
    return f"  {name}", before, "" if change.what == "deleted" else f"-> {after}"
