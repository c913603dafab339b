"""`adsindex audit`: who did what to this data folder, when and why."""

from typing import Annotated

from cyclopts import Parameter
from msgspec import to_builtins

from ops.audit import Audit
from ops.cli import render
from ops.cli.exit_codes import OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine.clock import SystemClock
from ops.times import clock_time, iso, parse_time

_PER_MS = 1_000_000


def audit(
    *,
    since: Annotated[
        str | None, Parameter(allow_leading_hyphen=True, help="Only from then on: -1h, or 2026-11-22T21:14:03Z.")
    ] = None,
    limit: Annotated[int, Parameter(help="At most so many, the newest.")] = 100,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Show who paused, resumed, dropped, healed, replayed, discarded or cancelled what; the newest last.

    The record is the file audit.jsonl in the data folder; lines are only ever added, and `rebuild` keeps it.

    For example:

        adsindex audit --since -12h
        adsindex audit --json
    """
    from_ms = parse_time(since, SystemClock().now_ms()) / _PER_MS if since else 0.0
    found = [action for action in Audit(data).actions() if action.at_ms >= from_ms][-limit:]
    if json:
        for action in found:
            render.print_json({"time": iso(action.at_ms), **to_builtins(action)})
    elif not found:
        render.print_line("nobody has changed anything by a command" + (" since then" if since else ""))
    else:
        rows = [
            (clock_time(one.at_ms), one.who, one.command, one.what + (f" (why: {one.reason})" if one.reason else ""))
            for one in found
        ]
        render.print_table(("time (UTC)", "who", "command", "what"), rows)
    return OK
