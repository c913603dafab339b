"""`adsindex jobs`: long work (fan-outs, refreshes), how far it is; pause, resume, cancel."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from argus.job_states import all_jobs, set_state
from ops.cli import render
from ops.cli.acts import record
from ops.cli.exit_codes import NOT_FOUND, OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.opened import DataFolder, opened
from ops.times import ago, iso
from proto.errors import SettingsError
from proto.lane import Lane
from repo.system import JobState

jobs = App(name="jobs", help="Long work: fan-outs, refreshes.", help_format="plaintext")

Id = Annotated[str, Parameter(help="The job's id as `list` shows it, or a part of it that no other has.")]


@jobs.command(name="list")
def list_(
    *,
    everything: Annotated[
        bool, Parameter(name="--all", negative=(), show_default=False, help="Finished ones, too.")
    ] = False,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """List jobs, the newest first.

    For example:

        adsindex jobs list --all
    """
    with opened(data) as folder:
        found = [job for job in stored_jobs(folder) if everything or job.is_live]
        now_ms = folder.clock.now_ms()
    if json:
        for job in found:
            render.print_json(as_json(job))
    elif not found:
        render.print_line("no jobs" if everything else "no jobs are running or paused")
    else:
        print_jobs(found, now_ms)
    return OK


@jobs.command
def pause(job: Id, /, *, data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Stop a job after its present slice; it keeps its place.

    For example:

        adsindex jobs pause "refresh ad"
    """
    return _set_state(job, "paused", "running", data, json)


@jobs.command
def resume(job: Id, /, *, data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """Let a paused job go on.

    For example:

        adsindex jobs resume "refresh ad"
    """
    return _set_state(job, "running", "paused", data, json)


@jobs.command
def cancel(job: Id, /, *, data: Data = DEFAULT_DATA, json: Json = False) -> int:
    """End a job for good. Documents that a cancelled fan-out has not reached stay as they are until they change again.

    For example:

        adsindex jobs cancel "refresh ad"
    """
    return _set_state(job, "cancelled", "", data, json)


def print_jobs(found: list[JobState], now_ms: float) -> None:
    """One line a job."""
    rows = [
        (job.state, Lane(job.lane).name.lower(), f"{job.done:,}", ago(job.started_ms, now_ms), job.id + _trouble(job))
        for job in found
    ]
    render.print_table(("state", "lane", "done", "started", "job"), rows, right=(2,))


def _trouble(job: JobState) -> str:
    """Why its present slice does not succeed, or why it was ended."""
    if not job.error:
        return ""
    return f"  {job.attempts} failed attempts: {job.error}" if job.attempts else f"  {job.error}"


def as_json(job: JobState) -> dict[str, Any]:
    """One job, for programs."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "lane": Lane(job.lane).name.lower(),
        "target": job.target,
        "done": job.done,
        "at": job.at,
        "started": iso(job.started_ms),
        "finished": iso(job.finished_ms) if job.finished_ms else None,
        "attempts": job.attempts,
        "error": job.error or None,
    }


def stored_jobs(folder: DataFolder) -> list[JobState]:
    """All, the newest first."""
    with folder.repo.snapshot() as snapshot:
        return sorted([job for _, job in all_jobs(snapshot)], key=lambda job: -job.started_ms)


def _set_state(wanted: str, state: str, only_from: str, data: Data, as_json_: bool) -> int:
    with opened(data) as folder:
        found = _find(folder, wanted)
        if found is None:
            render.note(f"no running or paused job matches {wanted!r}; see: adsindex jobs list --all")
            return NOT_FOUND
        if only_from and found.state not in (only_from, state):
            raise SettingsError(f"job {found.id!r} is {found.state}")
        job = set_state(folder.repo, found.id, state, folder.clock.now_ms())
    record(data, "jobs", f"{job.state}: {job.id}")
    if as_json_:
        render.print_json(as_json(job))
    else:
        render.print_line(f"{job.state}: {job.id}")
    return OK


def _find(folder: DataFolder, wanted: str) -> JobState | None:
    live = [job for job in stored_jobs(folder) if job.is_live]
    exact = [job for job in live if job.id == wanted]
    matching = exact or [job for job in live if wanted in job.id]
    if len(matching) > 1:
        raise SettingsError(f"{wanted!r} fits several jobs: {'; '.join(job.id for job in matching)}")
    return matching[0] if matching else None
