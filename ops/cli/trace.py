"""`adsindex trace`: the last changes of a document with the time that each stage took; the newest changes of all."""

from typing import Annotated, Any

from cyclopts import Parameter

from ops.addresses import document_address, shown_address
from ops.cli import render
from ops.cli.exit_codes import NOT_FOUND, OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.lookup.json_view import trace_json
from ops.lookup.traces import document_traces, recent_traces
from ops.opened import DataFolder, opened
from ops.times import ago_of, clock_time, clock_time_of, duration
from proto.errors import SettingsError
from ui.traces import TIMES, CausingRow, Spread, Trace, spreads

_FIELDS_SHOWN = 6


def trace(
    address: Annotated[str | None, Parameter(help="[TYPE/]ID of a document; none with --recent.")] = None,
    /,
    *,
    limit: Annotated[int, Parameter(help="At most so many changes, the newest.")] = 5,
    recent: Annotated[
        int | None, Parameter(help="Instead of one document: the last N documents published, by lane, table, stage.")
    ] = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Show the last changes of a document, what caused each, and how long it took, from the source's commit to readers.

    For example:

        adsindex trace ad/4711
        adsindex trace ad/4711 --limit 1 --json
        adsindex trace --recent 1000

    Exit code 3: nothing was ever stored under this id.
    """
    if (address is None) is (recent is None):
        raise SettingsError("name a document, [TYPE/]ID, or give --recent N for the newest changes of all")
    with opened(data) as folder:
        if address is None:
            _print_recent(recent_traces(folder, recent or 0), json)
            return OK
        sources = folder.sources()
        found = document_address(folder.flows, sources, address)
        traces = document_traces(folder, found.document, found.key, limit)
        if not traces:
            render.note(f"nothing was ever stored under {found.text}")
            return NOT_FOUND
        if json:
            for one in traces:
                render.print_json(trace_json(one))
        else:
            _print(folder, shown_address(found.document, found.key, sources), traces)
        return OK


def _print(folder: DataFolder, address: str, traces: list[Trace]) -> None:
    now_ms = folder.clock.now_ms()
    count = f"{len(traces)} change{'' if len(traces) == 1 else 's'}, newest first"
    render.print_title(address, count)
    for one in traces:
        total_ms = one.total_ms()
        whole = f"{duration(total_ms)} from commit to servable" if total_ms is not None else ""
        lane = f"lane {one.lane}" if one.lane else ""
        render.print_line("")
        render.print_title(
            f"{clock_time_of(one.sequence)} UTC", ago_of(one.sequence, now_ms), _kind(one), lane, whole
        )  # fmt: skip
        for row in one.rows:
            render.print_line(f"  {_row(row)}")
        for line in filter(None, (_stages(one), _fields(one))):
            render.print_line(f"  {line}")


def _kind(trace: Trace) -> str:
    reasons = {
        "edit": "",
        "backfill": ", read by a backfill",
        "rebuild": ", by a rebuild",
        "unpublished": ", not published: a newer version took its place, or it still waits",
    }
    return trace.what + reasons[trace.kind]


def _row(row: CausingRow) -> str:
    address = f"{row.table}/{_id(row.id)}"
    changes = [f"{name} {render.shown(old)} -> {render.shown(new)}" for name, (old, new) in row.columns.items()]
    if row.what in ("inserted", "deleted"):
        changes = []
    by = f"by {row.writer}" if row.writer else ""
    return "  ".join(filter(None, [address, row.what, ", ".join(changes[:_FIELDS_SHOWN]), by]))


def _id(value: Any) -> str:
    return value if isinstance(value, str) else render.json_line(value).strip()


def _stages(trace: Trace) -> str:
    """`committed 10:40:12.001 > captured 1.9 ms > applied 0.2 ms > ...`."""
    parts = []
    before: float | None = None
    for name in TIMES:
        at_ms = trace.at_ms.get(name)
        if at_ms is None:
            continue
        took = clock_time(at_ms)[11:] if before is None else f"+{duration(max(0.0, at_ms - before))}"
        parts.append(f"{name} {took}")
        before = at_ms
    return " > ".join(parts)


def _fields(trace: Trace) -> str:
    names = list(trace.fields or {})
    if trace.what != "changed":
        return ""
    more = f" and {len(names) - _FIELDS_SHOWN} more" if len(names) > _FIELDS_SHOWN else ""
    return f"{len(names)} field{'' if len(names) == 1 else 's'}: {', '.join(names[:_FIELDS_SHOWN])}{more}"


def _print_recent(traces: list[Trace], json: bool) -> None:
    found = spreads(traces)
    if json:
        render.print_json(
            {
                "traces": len(traces),
                "spreads": [
                    {
                        "by": one.by,
                        "name": one.name,
                        "count": one.samples,
                        "ms": {label: round(ms, 3) for label, ms in one.quantiles.items()},
                    }
                    for one in found
                ],
            }
        )
        return
    oldest = min((trace.sequence for trace in traces), default=0)
    since = f"since {clock_time_of(oldest)} UTC" if oldest else ""
    render.print_title(f"{len(traces):,} documents published last", since)
    rows = [(_label(one), f"{one.samples:,}", *(f"{ms:.2f}" for ms in one.quantiles.values())) for one in found]
    render.print_table(
        ("ms from commit to servable", "count", "p50", "p90", "p99", "max"), rows, right=(1, 2, 3, 4, 5)
    )  # fmt: skip


def _label(one: Spread) -> str:
    if one.by == "edit":
        return "an edit, whole way"
    return f"{one.by} {one.name}" + (", a document" if one.by == "lane" else "")
