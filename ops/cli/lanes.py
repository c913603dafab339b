"""`adsindex lanes`: what waits in the three lanes; let one wait, let it go on; the rest is in lanes_stale.py."""

from typing import Any

from cyclopts import App

from ops.cli import render
from ops.cli.acts import Reason, record, report, user
from ops.cli.exit_codes import OK
from ops.cli.lanes_stale import LaneName, StageName, drop_stale, dropped, heal
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.cli.publish import describe
from ops.engine.pauses import PUBLISHING, Pause, Pauses
from ops.lag import Lag, lags
from ops.opened import opened
from ops.times import duration, iso

lanes = App(
    name="lanes",
    help="The three lanes: look, pause, drop, heal.",
    help_format="plaintext",
)

for command in (drop_stale, dropped, heal):
    lanes.command(command)


@lanes.command
def show(*, data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Show what waits in front of each stage, by lane, and what is paused.

    For example:

        adsindex lanes show
    """
    with opened(data) as folder:
        now_ms = folder.clock.now_ms()
        found = lags(folder.log)
        pauses = Pauses(folder.path).all()
    if json:
        render.print_json([as_json(lag, now_ms, pauses) for lag in found])
        return OK
    print_lags(found, now_ms)
    for pause in pauses:
        render.print_problem(f"{pause.name} is paused{describe(pause)}")
    return OK


@lanes.command
def pause(
    lane: LaneName, /, *, stage: StageName = None, reason: Reason = "", data: Data = DEFAULT_DATA, json: Json = False
) -> int:
    """Let a lane wait, in both stages or in one. Nothing is lost; what waits is kept. Safe to repeat.

    Jobs of the lane (fan-outs, rebuilds) wait with argus. It holds over restarts. To hold what readers get to see:
    adsindex publish pause.

    For example:

        adsindex lanes pause low --reason "backfill crowds out edits"
        adsindex lanes pause high --stage argus
    """
    with opened(data) as folder:
        wanted = Pause(lane=lane, stage=stage or "", since_ms=folder.clock.now_ms(), who=user(), reason=reason)
        held = Pauses(folder.path).pause(wanted)
    if held is wanted:
        what = f"{held.name} is paused: what waits is kept; go on with: adsindex lanes resume {_arguments(held)}"
        record(data, "lanes pause", what.partition(":")[0], reason)
    else:
        what = f"{held.name} was paused already{describe(held)}; nothing was changed"
    report(what, json, lane=lane, stage=stage, paused=True, since=iso(held.since_ms), by=held.who, reason=held.reason)
    return OK


@lanes.command
def resume(
    lane: LaneName, /, *, stage: StageName = None, reason: Reason = "", data: Data = DEFAULT_DATA, json: Json = False
) -> int:
    """Let a paused lane go on, from where it stood. Safe to repeat.

    For example:

        adsindex lanes resume low
    """
    with opened(data) as folder:
        pauses = Pauses(folder.path)
        ended = pauses.resume(Pause(lane=lane, stage=stage or ""))
        left = [one for one in pauses.all() if one.lane == lane]
    if ended is not None:
        what = f"{ended.name} goes on; it was paused{describe(ended)}"
        record(data, "lanes resume", what, reason)
    else:
        what = f"{Pause(lane=lane, stage=stage or '').name} was not paused by itself"
    what += "".join(f"; {one.name} is still paused: adsindex lanes resume {_arguments(one)}" for one in left)
    still = [{"lane": one.lane, "stage": one.stage or None} for one in left]
    report(what, json, lane=lane, stage=stage, resumed=ended is not None, still_paused=still)
    return OK


def _arguments(pause: Pause) -> str:
    return pause.lane + (f" --stage {pause.stage}" if pause.stage else "")


def print_lags(found: list[Lag], now_ms: float) -> None:
    """One line a topic."""
    rows = [
        (
            lag.consumed.consumer,
            "all" if lag.consumed.lane is None else lag.consumed.lane.name.lower(),
            f"{lag.waiting:,}",
            duration(max(0.0, now_ms - lag.since_ms)) if lag.since_ms else "",
            f"~{render.size(lag.waiting_bytes)}" if lag.waiting else "",
            f"{lag.retained:,}",
        )
        for lag in found
    ]
    render.print_table(("stage", "lane", "waiting", "oldest", "size", "kept"), rows, right=(2, 3, 4, 5))


def holding(lag: Lag, pauses: list[Pause]) -> Pause | None:
    """The pause that holds this topic, if one does."""
    stage, lane = lag.consumed.consumer, lag.consumed.lane
    if lane is None:
        return next((pause for pause in pauses if pause.stage == PUBLISHING), None)
    return next(
        (one for one in pauses if one.lane == lane.name.lower() and one.stage in ("", stage)),
        None,
    )


def as_json(lag: Lag, now_ms: float, pauses: list[Pause]) -> dict[str, Any]:
    """One topic, for programs."""
    pause = holding(lag, pauses)
    return {
        "topic": lag.consumed.topic,
        "stage": lag.consumed.consumer,
        "lane": None if lag.consumed.lane is None else lag.consumed.lane.name.lower(),
        "waiting": lag.waiting,
        "oldest_ms": round(max(0.0, now_ms - lag.since_ms), 3) if lag.since_ms else None,
        "waiting_bytes": lag.waiting_bytes,
        "kept": lag.retained,
        "paused": pause is not None,
        "paused_since": iso(pause.since_ms) if pause else None,
        "paused_by": pause.who if pause else None,
        "paused_reason": pause.reason if pause else None,
    }
