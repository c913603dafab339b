"""The stored states of jobs, as the one process that runs them keeps them in mind.

Others may pause, cancel or create jobs by writing rows, so the table is looked at again now and then, when anything at
all was committed. Garbage: of the finished jobs of each kind the newest FINISHED_KEPT stay.
"""

import math

from proto.codec import encode_key
from proto.errors import ConflictError
from proto.ports.clock import Clock
from repo.api import Repo, Snapshot, Transaction
from repo.system import JOBS, STATE, JobState, decode_job_state, encode

LOOK_EVERY_MS = 500.0
FINISHED_KEPT = 200

_LIVE = ("running", "paused")


class JobStates:
    """Reads and writes the rows of `_jobs`."""

    def __init__(self, repo: Repo, clock: Clock) -> None:
        self._repo, self._clock = repo, clock
        self._live: dict[str, JobState] = {}
        self._looked_ms, self._looked_at = -math.inf, -1

    def live(self) -> list[JobState]:
        """Jobs that are not finished: by lane, then the oldest first."""
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._looked_ms >= LOOK_EVERY_MS:
            self._looked_ms = now_ms
            if self._repo.last_timestamp() != self._looked_at:
                with self._repo.snapshot() as snapshot:
                    self._looked_at = snapshot.timestamp
                    self._live = {job.id: job for _, job in _all(snapshot) if job.state in _LIVE}
        return sorted(self._live.values(), key=lambda job: (job.lane, job.started_ms))

    def forget(self) -> None:
        """What is in mind may not be what is stored: look at the next opportunity."""
        self._looked_ms, self._looked_at = -math.inf, -1

    def look_due_ms(self) -> float:
        """When `live` looks again (monotonic); infinity: nothing was committed since it looked."""
        if self._repo.last_timestamp() == self._looked_at:
            return math.inf
        return self._looked_ms + LOOK_EVERY_MS

    def stored(self, job_id: str) -> tuple[JobState | None, int]:
        """The job as it is now, and the timestamp to store its next state with."""
        with self._repo.snapshot() as snapshot:
            (version,) = snapshot.read(JOBS, STATE, [encode_key((job_id,))])
            timestamp = snapshot.timestamp
        job = None if version is None or version.value is None else decode_job_state(version.value)
        if job is None or job.state not in _LIVE:
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
        if job.state in _LIVE:
            self._live[job.id] = job
        else:
            self._live.pop(job.id, None)
            self._collect_garbage(job.kind)

    def _collect_garbage(self, kind: str) -> None:
        with self._repo.snapshot() as snapshot:
            finished = [(job.finished_ms, key) for key, job in _all(snapshot) if job.kind == kind and job.finished_ms]
            transaction = Transaction(snapshot.timestamp)
        for _, key in sorted(finished, reverse=True)[FINISHED_KEPT:]:
            transaction.delete(JOBS, key, STATE)
        if transaction.writes:
            self._repo.commit([transaction])


def _all(snapshot: Snapshot) -> list[tuple[bytes, JobState]]:
    found: list[tuple[bytes, JobState]] = []
    after = b""
    while rows := snapshot.scan(JOBS, STATE, after=after):
        found += [(key, decode_job_state(version.value or b"")) for key, version in rows]
        after = rows[-1][0]
    return found
