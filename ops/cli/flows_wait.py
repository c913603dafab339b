"""What `adsindex flows apply --wait` does: follows a generation until every document is built by it."""

import time

from argus.generations import load
from argus.lifecycle import refresh_signature
from ops.cli import render
from ops.cli.exit_codes import OK, WRONG
from ops.cli.jobs import stored_jobs
from ops.opened import DataFolder
from proto.errors import SettingsError
from repo.system import GenerationState, JobState

_LOOK_S = 0.2
_TELL_S = 2.0


def wait_for(folder: DataFolder, generation: int, sources: list[str], timeout_s: float, as_json: bool) -> int:
    """generation: hash of what was admitted. Returns an exit code; tells of progress as it comes."""
    began, told_at, told = time.monotonic(), 0.0, ""
    while True:
        state = load(folder.repo)
        left = _left(folder, state, generation, sources)
        seconds = time.monotonic() - began
        if not left:
            _tell(f"every document is up to date (waited {seconds:.1f} s)", as_json, done=True)
            return OK
        if seconds >= timeout_s:
            _tell(f"not in {timeout_s:g} s: {left}", as_json, done=False)
            return WRONG
        if left != told and (seconds - told_at >= _TELL_S or left.partition(":")[0] != told.partition(":")[0]):
            told, told_at = left, seconds
            _tell(left, as_json, done=False)
        time.sleep(_LOOK_S)


def _left(folder: DataFolder, state: GenerationState | None, generation: int, sources: list[str]) -> str:
    """ "" when nothing is left to do."""
    if state is None or generation not in (state.current.hash, state.next.hash if state.next else 0):
        raise SettingsError("other flows were applied meanwhile, in the place of these")
    if state.current.hash != generation:
        return "waiting for a process to take it over"
    parts = [part for part in state.current.since if part.startswith(("document ", "handler "))]
    left = [part for part in parts if state.built.get(part) != refresh_signature(state.current.since[part], sources)]
    if not left:
        return ""
    jobs = [job for job in stored_jobs(folder) if job.is_live and job.kind != "fanout"]
    return "; ".join(map(_progress, reversed(jobs))) or f"waiting for {', '.join(left)}"


def _progress(job: JobState) -> str:
    about = "calling" if job.kind == "handle" else "building"
    return f"{about} {job.target}: {job.done:,} done" + (f", {job.state}" if job.state == "paused" else "")


def _tell(text: str, as_json: bool, done: bool) -> None:
    if as_json:
        render.print_json({"done": done, "text": text})
    else:
        render.print_line(text)
