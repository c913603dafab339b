"""`adsindex lanes drop-stale|dropped|heal`: drop what waits too long, see what was dropped, have it healed."""

import time
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from ops.addresses import shown_address
from ops.cli import render
from ops.cli.acts import Reason, record, report, user
from ops.cli.exit_codes import OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine.liveness import Liveness
from ops.engine.pauses import Pauses
from ops.opened import DataFolder, opened
from ops.roles import ROLES, at_work, roles_of
from ops.stale.backlog import StalePart, droppable, stale_parts
from ops.stale.orders import Why, order, outstanding
from ops.stale.request import HealRequest
from ops.times import ago, clock_time, duration, iso, parse_duration
from ops.topics import ARGUS, UPDATER
from proto.errors import SettingsError
from proto.lane import Lane
from repo.drops import DroppedRow, Pile, Piles, dropped_rows

_PATIENCE_S = 10.0
_LOOK_S = 0.02

LaneName = Annotated[Literal["high", "medium", "low"], Parameter(help="The lane.")]
StageName = Annotated[
    Literal["updater", "argus"] | None,
    Parameter(help="Only this stage: updater (rows), argus (documents). Without: both."),
]


def drop_stale(
    lane: LaneName,
    /,
    *,
    older_than: Annotated[str, Parameter(help="How long a message must have waited: 10m, 90s, 1h30m.")],
    stage: StageName = None,
    dry_run: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Only show what would be dropped.")
    ] = False,
    yes: Annotated[bool, Parameter(negative=(), show_default=False, help="Do it, without asking again.")] = False,
    reason: Reason = "",
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Drop what has waited too long in a lane, so that fresh edits go ahead. Also in a lane that is paused.

    What is dropped is written down by key (`adsindex lanes dropped`) and healed later: by itself when no lane is behind
    any more, or with `adsindex lanes heal`. Until then `adsindex wait` says what is missing. Bootstraps and comparisons
    of tables, and rows of feeds, are never dropped: they can't be read again by key. Safe to repeat.

    For example:

        adsindex lanes drop-stale low --older-than 10m --dry-run
        adsindex lanes drop-stale low --older-than 10m --stage argus --yes --reason "backfill of Tuesday"
    """
    age_ms = parse_duration(older_than)
    with opened(data) as folder:
        now_ms = folder.clock.now_ms()
        stale = f"older than {duration(age_ms)}"
        ordered = f"{stale}, ordered by {user()}" + (f" ({reason})" if reason else "")
        why = Why(now_ms - age_ms, ordered, user(), now_ms)
        stages = (stage,) if stage else (UPDATER, ARGUS)
        parts = stale_parts(folder.log, stages, Lane.parse(lane), why.before_ms)
        found = [droppable(folder.log, folder.flows, part) for part in parts]
        messages, rows = sum(count for count, _ in found), len(set().union(*(about for _, about in found)))
        kept = _kept(sum(part.stale for part in parts) - messages)
        where = f"lane {lane} ({', '.join(stages)})"
        about = f"{messages:,} messages of {where} that are {stale}, about {rows:,} rows{kept}"
        shown = [_part_json(part) for part in parts]
        values = {"lane": lane, "stages": stages, "messages": messages, "rows": rows, "parts": shown}
        if not messages:
            report(f"nothing in {where} {_nothing(stale, kept)}", json, **values)
            return OK
        if dry_run:
            if not json:
                _print_parts(parts, now_ms)
            report(f"this would drop {about}; add --yes to do it", json, dry_run=True, **values)
            return OK
        if not yes:
            raise SettingsError(f"this drops {about}; look with --dry-run, or add --yes to do it")
        order(folder.repo, parts, why)
        record(data, "lanes drop-stale", f"ordered to drop {about}", reason)
        left = _wait_until_dropped(folder, parts)
    report(_outcome(about, left), json, done=left == 0, **values)
    return OK


def dropped(
    *,
    everything: Annotated[
        bool,
        Parameter(name="--all", negative=(), show_default=False, help="Healed ones, too, as long as they are kept."),
    ] = False,
    limit: Annotated[int, Parameter(help="At most so many rows.")] = 100,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Show which rows were dropped as stale: when, why, up to which change, and when they were healed.

    For example:

        adsindex lanes dropped
        adsindex lanes dropped --all --json
    """
    with opened(data) as folder:
        piles = Piles(folder.repo).now()
        ordered = outstanding(folder.repo, folder.log)
        rows = _rows(folder, everything, limit)
        sources = folder.sources()
        now_ms = folder.clock.now_ms()
    if json:
        for row in rows:
            render.print_json(_row_json(row, sources))
        return OK
    render.print_line(summary(piles, now_ms))
    if ordered:
        render.print_line(f"{ordered:,} messages more are ordered to be dropped, and are not yet")
    if rows:
        render.print_line("")
        lines = [
            (
                "healed" if row.healed_ms else "dropped", row.stage, Lane(row.lane).name.lower(),
                shown_address(row.table, row.key, sources), ago(row.dropped_ms, now_ms),
                ago(row.healed_ms, now_ms) if row.healed_ms else "", row.reason,
            )
            for row in rows
        ]  # fmt: skip
        render.print_table(("state", "stage", "lane", "row", "dropped", "healed", "why"), lines)
    return OK


def heal(
    *,
    wait: Annotated[bool, Parameter(negative=(), show_default=False, help="Return when all is healed.")] = False,
    timeout: Annotated[float, Parameter(help="With --wait: seconds, after which it gives up with exit code 1.")] = 60.0,
    reason: Reason = "",
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Heal what was dropped, now: rows are read again from their source, documents built again, in the Low lane.

    Without it, that begins by itself when no lane is behind any more (setting stale.heal_when_idle). Safe to repeat.

    For example:

        adsindex lanes heal --wait --timeout 120
    """
    with opened(data) as folder:
        piles = Piles(folder.repo)
        begun, ordered = _left(folder, piles)
        if not begun and not ordered:
            report("nothing is dropped: there is nothing to heal", json, open=0, ordered=0, healed=0)
            return OK
        HealRequest(data).ask()
        record(data, "lanes heal", f"asked to heal {begun:,} rows", reason)
        deadline = time.monotonic() + (timeout if wait else 0.0)
        while any(still := _left(folder, piles)) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
            begun = max(begun, still[0])
        left, ordered = still
        hindrance = _hindrance(folder) if any(still) else ""
    if not left and not ordered:
        what = f"healed {begun:,} rows"
    elif ordered:
        what = f"{ordered:,} messages are ordered to be dropped and are not yet{hindrance}; then they are healed"
    elif wait:
        what = f"{left:,} of {begun:,} rows are not healed after {timeout:g} s{hindrance}"
    else:
        what = f"{left:,} rows are to be healed now{hindrance}; see how far it is: adsindex lanes dropped"
    report(what, json, open=left, ordered=ordered, healed=max(0, begun - left))
    return WRONG if wait and any(still) else OK


def summary(piles: list[Pile], now_ms: float) -> str:
    """One sentence: how many rows were dropped, and how many of them are not healed."""
    left, healed = sum(pile.open for pile in piles), sum(pile.healed for pile in piles)
    if not left:
        return "nothing is dropped" + (f"; {healed:,} rows were, and are healed" if healed else "")
    since_ms = min(pile.since_ms for pile in piles if pile.open)
    plural = "1 row is" if left == 1 else f"{left:,} rows are"
    return f"{plural} dropped as stale and not healed, the first {ago(since_ms, now_ms)}; {healed:,} are healed"


def _left(folder: DataFolder, piles: Piles) -> tuple[int, int]:
    """(rows to be healed, messages that are ordered to be dropped); the orders first: what leaves them is dropped."""
    ordered = outstanding(folder.repo, folder.log)
    return sum(pile.open for pile in piles.now()), ordered


def _rows(folder: DataFolder, everything: bool, limit: int) -> list[DroppedRow]:
    """Those that are not healed first, the newest first."""
    found: list[DroppedRow] = []
    after = b""
    with folder.repo.snapshot() as snapshot:
        while True:
            page, after = dropped_rows(snapshot, after=after)
            found += [row for row in page if everything or not row.healed_ms]
            if not after:
                break
    return sorted(found, key=lambda row: (row.healed_ms > 0, -row.dropped_ms))[:limit]


def _wait_until_dropped(folder: DataFolder, parts: list[StalePart]) -> int | None:
    """How many messages are still there; None: nothing runs that could drop them."""
    if not Liveness(folder.path).others():
        return None
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        left = [max(0, part.below - folder.log.position(part.stage, part.topic, part.partition)) for part in parts]
        if not any(left) or time.monotonic() >= deadline:
            return sum(left)
        time.sleep(_LOOK_S)


def _kept(messages: int) -> str:
    """Of stale messages that stay; "" without any."""
    why = "can't be read again by key (feeds, bootstraps): applied, not dropped"
    return f"; {messages:,} more {why}" if messages else ""


def _nothing(stale: str, kept: str) -> str:
    return f"that is {stale} can be dropped{kept}" if kept else f"is {stale}: nothing is dropped"


def _outcome(about: str, left: int | None) -> str:
    if left is None:
        return f"ordered to drop {about}; nothing runs: `adsindex run` does it before anything else"
    if left:
        return (
            f"ordered to drop {about}; {left:,} messages are still there (they wait for a higher lane, or their stage"
            " is busy or failing): see adsindex lanes show, adsindex status"
        )
    return f"dropped {about}; they are healed later, or now with: adsindex lanes heal"


def _hindrance(folder: DataFolder) -> str:
    """Why nothing may happen, if that is plain to see."""
    running = roles_of(at_work(folder.repo, Liveness(folder.path).others()))
    missing = [role for role in ROLES if role not in running]
    if len(missing) == len(ROLES):
        return ": nothing runs (adsindex run)"
    if missing:
        return f": no {' and no '.join(missing)} runs (adsindex run)"
    paused = [pause.name for pause in Pauses(folder.path).all() if pause.lane == "low"]
    return f": {', '.join(paused)} is paused (adsindex lanes resume low)" if paused else ""


def _print_parts(parts: list[StalePart], now_ms: float) -> None:
    lines = [
        (
            f"{part.topic}/{part.partition}", part.stage, f"{part.waiting:,}", f"{part.stale:,}",
            ago(part.oldest_ms, now_ms), ago(part.newest_ms, now_ms) if part.stale else "",
        )
        for part in parts
    ]  # fmt: skip
    render.print_table(("topic", "stage", "waiting", "stale", "oldest", "newest stale"), lines, right=(2, 3))


def _part_json(part: StalePart) -> dict[str, Any]:
    return {
        "topic": part.topic, "partition": part.partition, "stage": part.stage, "waiting": part.waiting,
        "stale": part.stale, "oldest": iso(part.oldest_ms), "newest_stale": iso(part.newest_ms) if part.stale else None,
    }  # fmt: skip


def _row_json(row: DroppedRow, sources: list[str]) -> dict[str, Any]:
    return {
        "row": shown_address(row.table, row.key, sources),
        "stage": row.stage,
        "source": row.source or None,
        "lane": Lane(row.lane).name.lower(),
        "reason": row.reason,
        "dropped": iso(row.dropped_ms),
        "first_dropped": iso(row.first_ms or row.dropped_ms),
        "times": row.times,
        "upto": row.upto,
        "upto_time": clock_time(row.upto / 1e6) if row.stage == ARGUS else None,
        "healed": iso(row.healed_ms) if row.healed_ms else None,
    }
