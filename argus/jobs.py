"""Long work in slices: fan-outs too large for one pass, refreshes of all documents, handlers over all rows.

A job is a row of `_jobs`. A process that works on it has a share of it, which stands in the row; each slice builds some
documents and stores what is left of the share, in one durable group. So it resumes where it was after any crash, and
can be paused by whoever writes its row; several processes work on it side by side, and what one that died has left of
its share goes to another. A job whose slice fails waits longer each time, and does not hold up the others.
"""

import hashlib
import math
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress

from argus.climb import encode_frames
from argus.context import row_of
from argus.dispatch import Spread
from argus.job_states import JobStates
from argus.job_waits import JobWaits
from argus.slices import BEGIN, Part, Slices
from proto.errors import ConflictError, CorruptionError, FencedError, OutcomeUnknownError
from proto.events import Cause, encode
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.log import Durable
from repo.system import JobState

LANES = frozenset(Lane)

TURNS = 8
"""Every so many slices the lowest lane comes first: fan-outs of edits must not starve a refresh."""

_NAME_BYTES_MAX = 200  # of 400 that a key may have
_ENDED_KEPT = 100
_STOPPING = (CorruptionError, FencedError, OutcomeUnknownError)


class Jobs:
    """Creates, lists and advances jobs.

    process: the name of this one, which no other that lives has. alive: whether a process of that name still runs.
    """

    def __init__(
        self, states: JobStates, slices: Slices, durable: Durable, clock: Clock, process: str = "",
        alive: Callable[[str], bool] = lambda process: False,
    ) -> None:  # fmt: skip
        self._states, self._slices, self._durable, self._clock = states, slices, durable, clock
        self._process, self._alive = process, alive
        self._waits = JobWaits(states, clock)
        self._turn = 0
        self._held_at = 0
        self.ended: deque[JobState] = deque(maxlen=_ENDED_KEPT)
        """Jobs that this process has ended, for whoever tells of them; the newest."""
        self.paused: frozenset[Lane] = frozenset()
        """Lanes in which no job goes on."""

    def fanout(self, spread: Spread) -> None:
        """A fan-out that goes on as a job from the beginning of its climb."""
        row, change = row_of(spread.table(), spread.key), encode(spread.cause)
        name = f"fanout {spread.target.name} {row.table}/{','.join(map(str, row.key))}@{spread.cause.change}"
        self._create(
            name, "fanout", spread.cause, spread.target.name, encode_frames(spread.frames()), change, spread.since
        )

    @contextmanager
    def held_at(self, change: int) -> Iterator[None]:
        """Fan-outs created inside hold the watermark below `change`, if that is older than their own; 0: no."""
        self._held_at = change
        try:
            yield
        finally:
            self._held_at = 0

    def refresh(self, document_type: str, signature: int) -> bool:
        """Builds every document of a type again, in the Low lane; True once that is done."""
        return self._begin(f"refresh {document_type} {signature:08x}", "refresh", document_type)

    def refresh_begun(self, document_type: str, signature: int) -> bool:
        """Whether that refresh was ever begun: changes after its beginning must be built beside it."""
        return self._states.stored(_bounded(f"refresh {document_type} {signature:08x}"))[0] is not None

    def handle(self, handler: str, table: str, signature: int) -> bool:
        """Calls a handler for every row of a table, in the Low lane; True once that is done."""
        name = handler.rpartition(":")[2]
        return self._begin(f"handle {name} {table} {signature:08x}", "handle", f"{handler} {table}")

    def signals(self, document_type: str) -> None:
        """Looks through the documents of a type for signals that are too old, unless that is being done."""
        name = _bounded(f"signals {document_type}")
        job, timestamp = self._states.stored(name)
        if job is None or job.finished_ms:
            again = JobState(
                id=name, kind="signals", lane=Lane.LOW, at=timestamp, target=document_type, cursor=BEGIN,
                started_ms=self._clock.now_ms(),
            )  # fmt: skip
            self._take(again)
            self._states.store(again, timestamp)

    def look_again(self) -> None:
        """What jobs have waited for may have come."""
        self._waits.look_again()

    def running(self) -> list[JobState]:
        """Jobs that are not finished: by lane, then the oldest first."""
        return self._states.live()

    def forget(self) -> None:
        """A group was undone, and with it jobs that were created or advanced in it: look at the stored ones again."""
        self._states.forget()
        self._slices.forget()

    def holds(self) -> list[int]:
        """Changes that unfinished fan-outs have still to spread: the watermark stays below them."""
        return [job.at for job in self.running() if job.kind == "fanout"]

    def due_ms(self, lanes: Collection[Lane] = LANES) -> float:
        """When (monotonic) a step may have something to do; minus infinity: now; infinity: not before something is
        committed."""
        return min((self._waits.not_before_ms(job.id) for job in self._going() if job.lane in lanes), default=math.inf)

    def due(self, now_ms: float) -> set[Lane]:
        """The lanes in which a step may have something to do now."""
        return {Lane(job.lane) for job in self._going() if self._waits.not_before_ms(job.id) <= now_ms}

    def step(self, limit: int, lanes: Collection[Lane] = LANES) -> int:
        """One slice of one job of these lanes; returns what it cost, in builds or calls, about; 0: nothing to do.

        Raises what the slice raised, its group undone; the next step goes on with another job.
        """
        self._waits.tell()
        jobs = [job for job in self.running() if job.lane in lanes and job.lane not in self.paused]
        self._turn += 1
        if self._turn % TURNS == 0:
            jobs.sort(key=lambda job: -job.lane)
        now_ms = self._clock.monotonic_ms()
        for job in jobs:
            if self._waits.not_before_ms(job.id) > now_ms:
                continue
            current, timestamp = self._states.stored(job.id)
            if current is not None and current.state == "running" and (took := self._slice(current, timestamp, limit)):
                return took
        return 0

    def _going(self) -> list[JobState]:
        return [job for job in self.running() if job.state == "running" and job.lane not in self.paused]

    def _slice(self, job: JobState, timestamp: int, limit: int) -> int:
        """0: there is nothing of it for this process."""
        try:
            with self._durable.group():
                if self._slices.knows(job):
                    count = self._work(job, timestamp, limit)
                else:
                    count = 1
                    job.state, job.finished_ms = "cancelled", self._clock.now_ms()
                    job.error = "the flows file no longer has its target"
                    self._states.store(job, timestamp)
                    self.ended.append(job)
        except _STOPPING:
            raise
        except Exception as error:
            self._waits.failed(job.id, error)
            self.forget()
            raise
        self._waits.worked(job.id)
        if not count:
            self._waits.elsewhere(job.id)
        return count

    def _work(self, job: JobState, timestamp: int, limit: int) -> int:
        mine = self._process
        if mine not in job.shares:
            return self._join(job, timestamp)
        part = self._slices.work(job, job.shares[mine], limit)
        if not part.documents and part.rest == job.shares[mine]:
            return part.effort
        try:
            self._credit(job.id, part)
        except ConflictError:  # somebody stored theirs while this waited to write; now nobody else writes
            self._credit(job.id, part)
        return max(part.effort, 1)

    def _credit(self, job_id: str, part: Part) -> None:
        """Stores what was done of this process's share. Others may have gone on with theirs, which is no conflict."""
        job, timestamp = self._states.stored(job_id)
        if job is None or not job.is_live or self._process not in job.shares:
            raise ConflictError(f"job {job_id!r} was ended by somebody else meanwhile")
        del job.shares[self._process]
        if part.rest:
            job.shares[self._process] = part.rest
        elif job.cursor:
            self._take(job)
        job.done += part.documents
        job.attempts, job.error = 0, ""
        if not job.cursor and not job.shares:
            job.state, job.finished_ms = "done", self._clock.now_ms()
        self._states.store(job, timestamp)
        if job.finished_ms:
            self.ended.append(job)

    def _join(self, job: JobState, timestamp: int) -> int:
        """Takes a share and stores it, before the work: in the time that this takes others store theirs."""
        try:
            if self._take(job):
                self._states.store(job, timestamp)
                return 1
        except ConflictError:  # somebody was quicker; there may be another one
            pass
        return 0

    def _take(self, job: JobState) -> bool:
        """Gives this process a share: the next one, or what a process that died has left of its own."""
        if job.cursor:
            job.shares[self._process] = self._slices.hand_out(job)
            return True
        for process in job.shares:
            if not self._alive(process):
                job.shares[self._process] = job.shares.pop(process)
                return True
        return False

    def _begin(self, name: str, kind: str, target: str) -> bool:
        """Creates the job if there is none of that name; True when it is done (or was cancelled)."""
        job, timestamp = self._states.stored(_bounded(name))
        if job is None:
            with suppress(ConflictError):  # another process begins it, too: the next look finds whose it is
                self._replace(kind, target)
                self._create(name, kind, Cause(timestamp, Lane.LOW), target, BEGIN, b"", timestamp)
            return False
        return job.state in ("done", "cancelled")

    def _replace(self, kind: str, target: str) -> None:
        """Ends what earlier flows have begun: the same is done again from the beginning."""
        for known in self.running():
            if known.kind == kind and known.target == target:
                job, timestamp = self._states.stored(known.id)
                if job is not None and not job.finished_ms:
                    job.state, job.finished_ms = "cancelled", self._clock.now_ms()
                    job.error = "newer flows begin it again"
                    self._states.store(job, timestamp)

    def _create(
        self, name: str, kind: str, cause: Cause, target: str, cursor: bytes, change: bytes, since: int
    ) -> None:
        """since: commit timestamp of the oldest change that it is for; the watermark stays below it."""
        job = JobState(
            id=_bounded(name),
            kind=kind,
            lane=cause.lane,
            at=min(since, self._held_at or since),
            target=target,
            change=change,
            cursor=cursor,
            started_ms=self._clock.now_ms(),
        )
        known, timestamp = self._states.stored(job.id)
        if known is None:  # otherwise the change was offered again
            self._take(job)
            self._states.store(job, timestamp)


def _bounded(name: str) -> str:
    """A name that fits in a key."""
    encoded = name.encode()
    if len(encoded) <= _NAME_BYTES_MAX:
        return name
    digest = hashlib.blake2b(encoded, digest_size=8).hexdigest()
    return encoded[: _NAME_BYTES_MAX - 20].decode(errors="ignore") + "... " + digest
