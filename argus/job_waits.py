"""When this process looks at a job again whose slice has failed, or of which other processes have all that is left."""

import math
from dataclasses import dataclass

from argus.job_states import JobStates
from proto.errors import named
from proto.ports.clock import Clock

BACK_OFF_MS = 100.0
BACK_OFF_MS_MAX = 30_000.0

ELSEWHERE_MS = 200.0
"""A job of which other processes have all that is left is looked at again after so long: one of them may die."""


@dataclass(slots=True)
class _Failure:
    """A job whose last slice failed. told: it stands in the job's row."""

    attempts: int
    error: str
    not_before_ms: float
    told: bool = False


class JobWaits:
    """Of one process. What grows: entries of jobs that ended meanwhile go when the next one waits, or fails."""

    def __init__(self, states: JobStates, clock: Clock) -> None:
        self._states, self._clock = states, clock
        self._failed: dict[str, _Failure] = {}
        self._elsewhere_until_ms: dict[str, float] = {}

    def not_before_ms(self, job_id: str) -> float:
        """Monotonic; minus infinity: at once."""
        failure = self._failed.get(job_id)
        not_before_ms = -math.inf if failure is None else failure.not_before_ms
        return max(not_before_ms, self._elsewhere_until_ms.get(job_id, -math.inf))

    def failed(self, job_id: str, error: Exception) -> None:
        """A slice of it did, once more: it waits longer each time."""
        known = self._failed.get(job_id)
        attempts = 1 if known is None else known.attempts + 1
        wait_ms = min(BACK_OFF_MS * 2 ** min(attempts - 1, 20), BACK_OFF_MS_MAX)
        self._failed[job_id] = _Failure(attempts, named(error), self._clock.monotonic_ms() + wait_ms)

    def worked(self, job_id: str) -> None:
        """A slice of it did not fail."""
        self._failed.pop(job_id, None)

    def elsewhere(self, job_id: str) -> None:
        """There is nothing of it for this process."""
        live = {job.id for job in self._states.live()}
        self._elsewhere_until_ms = {known: at_ms for known, at_ms in self._elsewhere_until_ms.items() if known in live}
        self._elsewhere_until_ms[job_id] = self._clock.monotonic_ms() + ELSEWHERE_MS

    def look_again(self) -> None:
        """What jobs have waited for may have come."""
        self._elsewhere_until_ms.clear()

    def tell(self) -> None:
        """Writes why jobs failed into their rows; in the group of the failure it would have been undone, too."""
        for job_id, failure in list(self._failed.items()):
            if failure.told:
                continue
            job, timestamp = self._states.stored(job_id)
            if job is None or job.finished_ms:
                del self._failed[job_id]
                continue
            job.attempts, job.error = failure.attempts, failure.error
            self._states.store(job, timestamp)
            failure.told = True
