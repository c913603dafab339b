"""The stored states of jobs, as a process that works on them keeps them in mind.

Other processes create jobs, work on them, pause and cancel them, by writing rows: the table is read again whenever its
mark tells of a commit to it. Garbage: of the finished jobs of each kind the newest FINISHED_KEPT stay.
"""

from contextlib import suppress

from proto.codec import encode_key
from proto.errors import ConflictError, SettingsError
from repo.api import Repo, Snapshot, Transaction
from repo.system import JOBS, STATE, JobState, decode_job_state, encode

FINISHED_KEPT = 200

_ATTEMPTS_MAX = 20
_UNKNOWN = b"unknown"


class JobStates:
    """Reads and writes the rows of `_jobs`."""

    def __init__(self, repo: Repo) -> None:
        self._repo = repo
        self._live: dict[str, JobState] = {}
        self._looked_at, self._mark = -1, _UNKNOWN

    def live(self) -> list[JobState]:
        """Jobs that are not finished: by lane, then the oldest first."""
        with self._repo.snapshot() as snapshot:
            if snapshot.timestamp != self._looked_at:
                self._looked_at = snapshot.timestamp
                (mark,) = snapshot.change_marks((JOBS,))
                if mark != self._mark:
                    self._look(mark)
        return sorted(self._live.values(), key=lambda job: (job.lane, job.started_ms))

    def forget(self) -> None:
        """What is in mind may not be what is stored: look at the next opportunity."""
        self._looked_at, self._mark = -1, _UNKNOWN

    def _look(self, mark: bytes) -> None:
        with self._repo.snapshot() as snapshot:  # at or above the mark
            self._live = {job.id: job for _, job in all_jobs(snapshot) if job.is_live}
        self._mark = mark

    def stored(self, job_id: str) -> tuple[JobState | None, int]:
        """The job as it is now, and the timestamp to store its next state with."""
        with self._repo.snapshot() as snapshot:
            (version,) = snapshot.read(JOBS, STATE, [encode_key((job_id,))])
            timestamp = snapshot.timestamp
        job = None if version is None or version.value is None else decode_job_state(version.value)
        if job is None or not job.is_live:
            self._live.pop(job_id, None)
        else:
            self._live[job_id] = job
        return job, timestamp

    def store(self, job: JobState, timestamp: int) -> None:
        """Raises ConflictError when somebody has written it since `timestamp`: paused it, say."""
        transaction = Transaction(timestamp)
        transaction.write(JOBS, encode_key((job.id,)), STATE, encode(job))
        if not self._repo.commit([transaction])[0].committed:
            self.forget()
            raise ConflictError(f"job {job.id!r} was changed by somebody else meanwhile")
        if job.is_live:
            self._live[job.id] = job
        else:
            self._live.pop(job.id, None)
            self._collect_garbage(job.kind)

    def _collect_garbage(self, kind: str) -> None:
        with self._repo.snapshot() as snapshot:
            finished = [
                (job.finished_ms, key) for key, job in all_jobs(snapshot) if job.kind == kind and job.finished_ms
            ]
            transaction = Transaction(snapshot.timestamp)
        for _, key in sorted(finished, reverse=True)[FINISHED_KEPT:]:
            transaction.delete(JOBS, key, STATE)
        if transaction.writes:
            self._repo.commit([transaction])


def set_state(repo: Repo, job_id: str, state: str, now_ms: float) -> JobState:
    """What an operator does: pauses, resumes or cancels a job that is live. Returns it as it is then.

    The worker stores its progress in the same row, so a conflict is likely, and the next attempt finds it newer.
    Raises SettingsError when it is not live any more, ConflictError when it changes all the time.
    """
    states = JobStates(repo)
    for _ in range(_ATTEMPTS_MAX):
        job, timestamp = states.stored(job_id)
        if job is None:
            raise SettingsError(f"job {job_id!r} is not there any more")
        if not job.is_live:
            raise SettingsError(f"job {job_id!r} is {job.state} by now")
        job.state = state
        job.finished_ms = now_ms if state == "cancelled" else 0.0
        with suppress(ConflictError):
            states.store(job, timestamp)
            return job
    raise ConflictError(f"job {job_id!r} changes all the time; try again")


def all_jobs(snapshot: Snapshot) -> list[tuple[bytes, JobState]]:
    """Every job that is stored, with its key."""
    found: list[tuple[bytes, JobState]] = []
    after = b""
    while rows := snapshot.scan(JOBS, STATE, after=after):
        found += [(key, decode_job_state(version.value or b"")) for key, version in rows]
        after = rows[-1][0]
    return found
