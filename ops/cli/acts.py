"""What every command that changes something does in the end: one sentence, or JSON, and a line in the audit record."""

import os
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from ops.audit import Action, Audit, acting_user
from ops.cli import render
from ops.engine.clock import SystemClock

Reason = Annotated[str, Parameter(help="Why, for those who look later; `status` and `audit` show it.")]


def user() -> str:
    """Who runs this command."""
    return acting_user(os.environ)


def record(data: Path, command: str, what: str, reason: str = "") -> None:
    """Adds a line to the audit record. A full disk must not keep anybody from acting: then a note says so."""
    try:
        Audit(data).record(Action(at_ms=SystemClock().now_ms(), who=user(), command=command, what=what, reason=reason))
    except OSError as error:
        render.note(f"this was done, but could not be written into the audit record: {error}")


def report(what: str, as_json: bool, **values: Any) -> None:
    """What was done. values: the same for programs."""
    if as_json:
        render.print_json({"what": what, **values})
    else:
        render.print_line(what)
