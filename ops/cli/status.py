"""`adsindex status`: what runs, how far behind it is, what is wrong, what it keeps on the disk."""

import shutil
from collections.abc import Iterator
from typing import Any, NamedTuple

from msgspec import to_builtins

from ops.cli import render
from ops.cli.exit_codes import OK, WRONG
from ops.cli.jobs import as_json as job_json
from ops.cli.jobs import print_jobs, stored_jobs
from ops.cli.lanes import as_json as lag_json
from ops.cli.lanes import holding, print_lags
from ops.cli.lanes_stale import summary
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.cli.publish import describe
from ops.cli.signals import signal_problems
from ops.engine.liveness import Liveness
from ops.engine.pauses import Pause, Pauses
from ops.engine.status import ProcessStatus, StepStatus, commits_fail, read_statuses
from ops.lag import Lag, lags
from ops.opened import DataFolder, opened
from ops.roles import absences
from ops.times import ago, ago_of, clock_time_of, duration, iso_of
from proto.events import DOCUMENTS
from repo.drops import Pile, Piles
from repo.system import JobState, SourceState

_BEHIND_MS = 60_000.0
_JOBS_MAX = 20
_SILENT_MS = 10_000.0
_DISK_FREE_BYTES_MIN = 1 << 30
_SAYING_BYTES_MIN = 1 << 20  # below it a status file may be old because it had no room
_DISK_SHARE_MAX = 0.1  # of what is free that paused messages may take before status says so


class _Status(NamedTuple):
    """Everything that is shown. live: processes, by what they hold. absences: what none of them does.
    problems: one sentence each; empty: all is well."""

    now_ms: float
    live: list[str]
    processes: list[ProcessStatus]
    sources: dict[str, SourceState]
    lags: list[Lag]
    pauses: list[Pause]
    dropped: list[Pile]
    jobs: list[JobState]
    dead_letters: int
    last_commit: int
    store_bytes: int
    free_bytes: int
    documents_kept: int
    absences: list[str]
    problems: list[str]


def status(*, data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Show what runs, how far behind each stage is, what waits, what is wrong.

    For example:

        adsindex status --data adsindex-data
        adsindex status --json

    Exit code 1: something is wrong (it says what).
    """
    with opened(data) as folder:
        found = _look(folder)
    if json:
        render.print_json(_as_json(found))
    else:
        _print(folder, found)
    return WRONG if found.problems else OK


def _look(folder: DataFolder) -> _Status:
    live = Liveness(folder.path).others()
    kept = [folder.log.bounds(DOCUMENTS, at) for at in range(folder.log.partitions(DOCUMENTS))]
    statuses = read_statuses(folder.path, [process.pid for process in live])
    found = _Status(
        now_ms=folder.clock.now_ms(),
        live=[f"{process.role} ({process.pid})" for process in live],
        processes=statuses,
        sources=folder.source_states(),
        lags=lags(folder.log),
        pauses=Pauses(folder.path).all(),
        dropped=Piles(folder.repo).now(),
        jobs=[job for job in stored_jobs(folder) if job.is_live],
        dead_letters=folder.dead_letters.count(),
        last_commit=folder.repo.last_timestamp(),
        store_bytes=folder.environment.size_bytes(),
        free_bytes=shutil.disk_usage(folder.path).free,
        documents_kept=sum(end - first for first, end in kept),
        absences=[*absences(folder, live, statuses)],
        problems=[],
    )
    found.problems.extend(_problems(found))
    return found


def _problems(found: _Status) -> Iterator[str]:
    if not found.live:
        yield "nothing runs: start it with `adsindex run`"
    yield from found.absences
    for process in found.processes:
        yield from _process_problems(process, found.now_ms, found.free_bytes)
    for name, state in found.sources.items():
        for table, reason in state.parked.items():
            yield f"table {table} of source {name} is parked: {reason}"
    for pause in found.pauses:
        yield _paused(found, pause)
    for lag in found.lags:
        if lag.since_ms and found.now_ms - lag.since_ms > _BEHIND_MS:
            oldest = ago(lag.since_ms, found.now_ms)
            yield f"{lag.consumed.topic}: {lag.waiting:,} messages wait, the oldest from {oldest}"
    if any(pile.open for pile in found.dropped):
        yield f"{summary(found.dropped, found.now_ms)}: see `adsindex lanes dropped`, `adsindex lanes heal`"
    if found.dead_letters:
        plural = "" if found.dead_letters == 1 else "s"
        yield f"{found.dead_letters:,} dead letter{plural}: see `adsindex dead-letters list`"
    if found.free_bytes < _DISK_FREE_BYTES_MIN:
        yield f"only {render.size(found.free_bytes)} are free on the disk of the data folder"


def _process_problems(process: ProcessStatus, now_ms: float, free_bytes: int) -> Iterator[str]:
    who = f"{process.role} ({process.pid})"
    if now_ms - process.at_ms > _SILENT_MS:
        since = duration(now_ms - process.at_ms)
        full = ", or has no room on its disk to say more" if free_bytes < _SAYING_BYTES_MIN else ""
        yield f"{who} has said nothing for {since}: it is stopped, or a function hangs (see its standard error){full}"
    if process.commit_error:
        yield f"{who} {commits_fail(process.commit_error, process.commits_fail_since_ms)}"
    yield from process.refusals
    yield from signal_problems(process, now_ms)
    for step in process.steps:
        if step.failing:
            yield f"{who}, {step.name}: {step.last_error} ({ago(step.last_error_ms, now_ms)})"


def _paused(found: _Status, pause: Pause) -> str:
    """What waits because of it; a pause that somebody forgot must not fill the disk unnoticed."""
    held = [lag for lag in found.lags if holding(lag, [pause])]
    waiting, waiting_bytes = sum(lag.waiting for lag in held), sum(lag.waiting_bytes for lag in held)
    go_on = "publish resume" if not pause.lane else f"lanes resume {pause.lane}"
    go_on += f" --stage {pause.stage}" if pause.lane and pause.stage else ""
    text = f"{pause.name} is paused{describe(pause)}: {waiting:,} messages (~{render.size(waiting_bytes)}) wait"
    if waiting_bytes > found.free_bytes * _DISK_SHARE_MAX:
        text += f", which is more than a tenth of the {render.size(found.free_bytes)} that are free on the disk"
    return f"{text}; go on with `adsindex {go_on}`"


def _as_json(found: _Status) -> dict[str, Any]:
    return {
        "ok": not found.problems,
        "problems": found.problems,
        "processes": [to_builtins(process) for process in found.processes],
        "live": found.live,
        "sources": {
            name: {
                "incarnation": state.incarnation,
                "applied": {str(lane): position for lane, position in state.applied.items()},
                "bootstrapped": list(state.bootstrapped),
                "parked": state.parked,
            }
            for name, state in found.sources.items()
        },
        "lag": [lag_json(lag, found.now_ms, found.pauses) for lag in found.lags],
        "paused": [{"name": pause.name, **to_builtins(pause)} for pause in found.pauses],
        "jobs": [job_json(job) for job in found.jobs],
        "dropped": {
            "open": sum(pile.open for pile in found.dropped),
            "healed": sum(pile.healed for pile in found.dropped),
            "piles": [to_builtins(pile) for pile in found.dropped],
        },
        "dead_letters": found.dead_letters,
        "last_commit": found.last_commit,
        "last_commit_time": iso_of(found.last_commit) if found.last_commit else None,
        "store_bytes": found.store_bytes,
        "disk_free_bytes": found.free_bytes,
        "documents_kept": found.documents_kept,
    }


def _print(folder: DataFolder, found: _Status) -> None:
    render.print_title(str(folder.path), "all is well" if not found.problems else "")
    for problem in found.problems:
        render.print_problem(problem)
    render.print_line("")
    last = (
        f"{clock_time_of(found.last_commit)} UTC, {ago_of(found.last_commit, found.now_ms)}"
        if found.last_commit
        else "none"
    )
    rows = [
        ("last commit", last),
        ("dead letters", f"{found.dead_letters:,}"),
        ("dropped", summary(found.dropped, found.now_ms)),
        ("stored", f"{render.size(found.store_bytes)}, {render.size(found.free_bytes)} free on the disk"),
        ("kept", f"{found.documents_kept:,} messages in the documents topic"),
    ]
    render.print_table(("", ""), rows, header=False)
    if found.processes:
        render.print_line("")
        steps = [_step_line(one, step, found.now_ms) for one in found.processes for step in one.steps]
        render.print_table(("process", "step", "errors", "last error"), steps, right=(2,))
    if found.sources:
        render.print_line("")
        sources = [_source_line(name, state) for name, state in found.sources.items()]
        render.print_table(("source", "position", "incarnation", "tables"), sources, right=(1, 2))
    render.print_line("")
    print_lags(found.lags, found.now_ms)
    if found.jobs:
        render.print_line("")
        print_jobs(found.jobs[:_JOBS_MAX], found.now_ms)
        if len(found.jobs) > _JOBS_MAX:
            render.print_line(f"and {len(found.jobs) - _JOBS_MAX:,} more: adsindex jobs list")


def _step_line(process: ProcessStatus, step: StepStatus, now_ms: float) -> tuple[str, str, str, str]:
    error = f"{ago(step.last_error_ms, now_ms)}: {step.last_error}" if step.last_error else ""
    return f"{process.role} ({process.pid})", step.name, f"{step.errors:,}", error


def _source_line(name: str, state: SourceState) -> tuple[str, str, str, str]:
    bootstrapped = len(set(state.bootstrapped) - set(state.parked))
    tables = f"{bootstrapped} bootstrapped" + (f", {len(state.parked)} parked" if state.parked else "")
    return name, f"{max(state.applied.values(), default=0):,}", str(state.incarnation), tables
