"""`adsindex wait`: returns when everything that the sources had committed before the call is servable."""

import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ops.cli import render
from ops.cli.exit_codes import OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine.doorbell import Doorbell
from ops.engine.liveness import Liveness, LiveProcess
from ops.engine.status import ProcessStatus, commits_fail, read_statuses
from ops.installation import load_installation
from ops.opened import STORE_FILE, DataFolder, opened
from ops.roles import absences
from ops.waiting import Goal, missing, newest_stands
from proto.errors import SettingsError, UnavailableError

_LOOK_MS = 20.0


def wait(
    *,
    timeout: Annotated[float, Parameter(help="Seconds, after which it gives up with exit code 1.")] = 60.0,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Wait until everything that the sources had committed before this call is servable.

    For example:

        sqlite3 shop.db "UPDATE products SET price = 9 WHERE id = 7" && adsindex wait --data shop-data
    """
    began = time.monotonic()
    deadline = began + timeout
    reason = _wait(data, deadline)
    waited_ms = (time.monotonic() - began) * 1000
    if reason:
        reason = "; ".join([reason, *_trouble(data)])
    if json:
        render.print_json({"servable": not reason, "waited_ms": round(waited_ms, 1), "waiting_for": reason})
    elif reason:
        render.print_problem(f"not servable after {timeout:g} s: {reason}")
    else:
        render.print_line(f"everything is servable (waited {waited_ms:.0f} ms)")
    return WRONG if reason else OK


def _trouble(data: Path) -> list[str]:
    """Why it may never come, whatever is waited for."""
    if not (data / STORE_FILE).exists():
        return []
    live = Liveness(data).others()
    if not live:
        return ["nothing runs: start it with `adsindex run`"]
    told = read_statuses(data, [process.pid for process in live])
    fail = [process for process in told if process.commit_error]
    commits = [f"{one.role} ({one.pid}) {commits_fail(one.commit_error, one.commits_fail_since_ms)}" for one in fail]
    steps = [step for process in told for step in process.steps]
    failing = [f"{step.name} fails: {step.last_error}" for step in steps if step.failing]
    return _absent(data, live, told) + commits + failing


def _absent(data: Path, live: list[LiveProcess], told: list[ProcessStatus]) -> list[str]:
    try:
        with opened(data) as folder:
            return list(absences(folder, live, told))
    except (UnavailableError, SettingsError):
        return []  # a folder that is only being made; the reason says so


def _wait(data: Path, deadline: float) -> str:
    """ "" or what was still waited for at the deadline."""
    reason = f"there is no data folder at {data} yet"
    goal: Goal | None = None
    while True:
        if (data / STORE_FILE).exists():
            try:
                sources = load_installation(data).sources
                goal = goal or (Goal(newest_stands(sources)) if sources else None)
                reason = "the data folder names no source yet" if goal is None else _reach(data, goal, deadline)
            except (UnavailableError, SettingsError) as error:
                reason = str(error)
        if not reason or time.monotonic() >= deadline:
            return reason
        time.sleep(_LOOK_MS / 1000)


def _reach(data: Path, goal: Goal, deadline: float) -> str:
    with opened(data) as folder:
        bell = Doorbell(data)
        try:
            return _watch(folder, bell, goal, deadline)
        finally:
            bell.close()


def _watch(folder: DataFolder, bell: Doorbell, goal: Goal, deadline: float) -> str:
    while (reason := missing(folder, goal)) and time.monotonic() < deadline:
        bell.wait(_LOOK_MS)
    return reason
