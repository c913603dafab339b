"""`adsindex row`: one stored row, column by column."""

from typing import Annotated, Any

from cyclopts import Parameter

from ops.addresses import Address, row_address, shown_address, shown_id, source_of
from ops.cli import render
from ops.cli.exit_codes import NOT_FOUND, OK
from ops.cli.parameters import DEFAULT_DATA, AsOf, Data, Json
from ops.opened import opened
from ops.row_view import StoredRow, read_row
from ops.times import ago_of, clock_time_of, iso_of, parse_time


def row(
    address: Annotated[str, Parameter(help="TABLE/ID; of several sources TABLE/SOURCE:ID.")],
    /,
    *,
    as_of: AsOf = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Show a row: each column with its value, when it last changed, and who wrote it.

    For example:

        adsindex row campaigns/12
        adsindex row campaigns/12 --as-of 2026-11-22T21:00:00Z --json

    Exit code 3: nothing was ever stored under this key, or the row is deleted.
    """
    with opened(data) as folder:
        now_ms = folder.clock.now_ms()
        sources = folder.sources()
        found = row_address(folder.flows, sources, address)
        timestamp = None if as_of is None else parse_time(as_of, now_ms)
        with folder.snapshot(timestamp) as snapshot:
            stored = read_row(snapshot, folder.schemas, folder.flows.tables[found.table], found.key)
        if stored is None:
            render.note(f"there is no row {found.text}" + ("" if as_of is None else f" as of {as_of}"))
            return NOT_FOUND
        if json:
            render.print_json(_as_json(found, stored))
        else:
            _print(shown_address(found.table, found.key, sources), stored, now_ms)
        return NOT_FOUND if stored.deleted_at else OK


def _as_json(address: Address, stored: StoredRow) -> dict[str, Any]:
    return {
        "table": address.table,
        "id": shown_id(address.key),
        "source": source_of(address.key),
        "deleted": bool(stored.deleted_at),
        "deleted_at": stored.deleted_at or None,
        "parked": stored.parked,
        "columns": {
            column.name: {
                "value": column.value,
                "group": column.group,
                "changed_at": column.changed_at,
                "changed": iso_of(column.changed_at),
                "writer": column.writer,
            }
            for column in stored.columns
        },
    }


def _print(address: str, stored: StoredRow, now_ms: float) -> None:
    if stored.deleted_at:
        when = f"deleted {clock_time_of(stored.deleted_at)} UTC, {ago_of(stored.deleted_at, now_ms)}"
        render.print_title(address, when, f"by {stored.deleted_by}")
        if stored.columns:  # handlers' columns may outlive their row
            _print_columns(stored)
        return
    newest = max((column.changed_at for column in stored.columns), default=0)
    render.print_title(address, f"changed {clock_time_of(newest)} UTC, {ago_of(newest, now_ms)}" if newest else "")
    for group, reason in stored.parked.items():
        render.print_line(f"parked ({group}): {reason}; the values are those from before")
    _print_columns(stored)


def _print_columns(stored: StoredRow) -> None:
    render.print_line("")
    rows = [
        (
            column.name,
            clock_time_of(column.changed_at),
            column.group,
            column.writer,
            render.shown(column.value),
        )
        for column in stored.columns
    ]
    render.print_table(("column", "changed (UTC)", "group", "writer", "value"), rows)
