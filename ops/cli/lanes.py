"""`adsindex lanes`: what waits in the three lanes."""

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from ops.cli import render
from ops.cli.exit_codes import OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine.pauses import Pauses
from ops.lag import Lag, lags
from ops.opened import opened
from ops.times import duration
from proto.lane import Lane

lanes = App(name="lanes", help="The three lanes.", help_format="plaintext")


LaneName = Annotated[Literal["high", "medium", "low"], Parameter(help="The lane.")]
Stage = Annotated[str, Parameter(help="Only this stage, e.g. publisher. Without: all.")]


@lanes.command
def show(*, data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Show what waits in front of each stage, by lane.

    For example:

        adsindex lanes show
    """
    with opened(data) as folder:
        now_ms = folder.clock.now_ms()
        found = lags(folder.log)
        pauses = Pauses(folder.path)
        paused = {consumer: pauses.of(consumer) for consumer in {lag.consumed.consumer for lag in found}}
    if json:
        render.print_json(
            [{**as_json(lag, now_ms), "paused": lag.consumed.lane in paused[lag.consumed.consumer]} for lag in found]
        )
        return OK
    print_lags(found, now_ms)
    for consumer, held in sorted(paused.items()):
        for lane in sorted(held):
            render.print_problem(f"{consumer}: {lane.name.lower()} is paused")
    return OK


@lanes.command
def pause(lane: LaneName, /, *, stage: Stage = "", data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Let a lane wait, in all stages or in one. Nothing is lost; what waits is kept. Safe to repeat.

    For example:

        adsindex lanes pause low
        adsindex lanes pause high --stage publisher
    """
    with opened(data) as folder:
        Pauses(folder.path).pause(Lane.parse(lane), stage)
    return _print_done("paused", lane, stage, json)


@lanes.command
def resume(lane: LaneName, /, *, stage: Stage = "", data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Let a paused lane go on, from where it stood. Safe to repeat.

    For example:

        adsindex lanes resume low
    """
    with opened(data) as folder:
        Pauses(folder.path).resume(Lane.parse(lane), stage)
    return _print_done("resumed", lane, stage, json)


def _print_done(done: str, lane: str, stage: str, as_json: bool) -> int:
    if as_json:
        render.print_json({done: lane, "stage": stage or None})
    else:
        render.print_line(f"{done}: {lane}" + (f" of {stage}" if stage else ""))
    return OK


def print_lags(found: list[Lag], now_ms: float) -> None:
    """One line a topic."""
    rows = [
        (
            lag.consumed.consumer,
            "all" if lag.consumed.lane is None else lag.consumed.lane.name.lower(),
            f"{lag.waiting:,}",
            duration(max(0.0, now_ms - lag.since_ms)) if lag.since_ms else "",
            f"{lag.retained:,}",
        )
        for lag in found
    ]
    render.print_table(("stage", "lane", "waiting", "oldest", "kept"), rows, right=(2, 3, 4))


def as_json(lag: Lag, now_ms: float) -> dict[str, Any]:
    """One topic, for programs."""
    return {
        "topic": lag.consumed.topic,
        "stage": lag.consumed.consumer,
        "lane": None if lag.consumed.lane is None else lag.consumed.lane.name.lower(),
        "waiting": lag.waiting,
        "oldest_ms": round(max(0.0, now_ms - lag.since_ms), 3) if lag.since_ms else None,
        "kept": lag.retained,
    }
