"""Long work in slices: fan-outs too large for one pass, refreshes of all documents, handlers over all rows.

A job is a row of `_jobs`; each slice builds some documents and stores the job's cursor, in one durable group. So it
resumes where it was after any crash, and can be paused by whoever writes its row.
"""

from collections.abc import Callable, Mapping, Sequence

from argus.build import Builder
from argus.climb import Climber, Target, decode_frames, encode_frames, first_frames
from argus.context import row_of
from argus.dispatch import Spread
from argus.handle import Call, Handlers
from argus.registry import Application
from proto.codec import encode_key
from proto.errors import UnavailableError
from proto.events import Cause, decode_cause
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.log import Durable
from repo.api import Repo, Transaction
from repo.system import JOBS, STATE, JobState, decode_job_state, encode

JOBS_MAX = 100_000


class Jobs:
    """Creates, lists and advances jobs. Only one process runs them (it holds the claim on the notifications)."""

    def __init__(
        self,
        repo: Repo,
        durable: Durable,
        application: Application,
        builders: Mapping[str, Builder],
        climber: Climber,
        targets: Mapping[str, Target],
        handlers: Handlers,
        clock: Clock,
    ) -> None:
        self._repo, self._durable, self._application = repo, durable, application
        self._builders, self._climber, self._targets, self._handlers = builders, climber, targets, handlers
        self._clock = clock
        self._running: dict[str, JobState] | None = None
        self._slices: dict[str, Callable[[JobState, int], int]] = {
            "fanout": self._fanout,
            "refresh": self._refresh,
            "handle": self._handle,
        }

    def fanout(self, spread: Spread) -> None:
        """A fan-out that goes on as a job from the beginning of its climb."""
        frames = first_frames(spread.target.hops, spread.key, spread.moved)
        row = row_of(spread.target.table, spread.key)
        name = f"fanout {spread.target.name} {row.table}/{','.join(map(str, row.key))}@{spread.cause.change}"
        self._create(name, "fanout", spread.cause, spread.target.name, encode_frames(frames), encode(spread.cause))

    def refresh(self, document_type: str, signature: int) -> bool:
        """Builds every document of a type again, in the Low lane; True once that is done."""
        return self._begin(f"refresh {document_type} {signature:08x}", "refresh", document_type)

    def handle(self, handler: str, table: str, signature: int) -> bool:
        """Calls a handler for every row of a table, in the Low lane; True once that is done."""
        name = handler.rpartition(":")[2]
        return self._begin(f"handle {name} {table} {signature:08x}", "handle", f"{handler} {table}")

    def running(self) -> list[JobState]:
        """Jobs that are not finished, oldest first."""
        if self._running is None:
            with self._repo.snapshot() as snapshot:
                stored = [
                    decode_job_state(version.value or b"") for _, version in snapshot.scan(JOBS, STATE, limit=JOBS_MAX)
                ]
            self._running = {job.id: job for job in stored if job.state in ("running", "paused")}
        return sorted(self._running.values(), key=lambda job: job.started_ms)

    def forget(self) -> None:
        """A group was undone, and with it jobs that were created or advanced in it: look at the stored ones again."""
        self._running = None

    def holds(self) -> list[int]:
        """Changes that unfinished fan-outs have still to spread: the watermark stays below them."""
        return [job.at for job in self.running() if job.kind == "fanout"]

    def step(self, limit: int, lane: Lane | None = None) -> int:
        """One slice of the first runnable job (of a lane); returns how many documents or calls it took on; 0:
        nothing to do."""
        for job in self.running():
            if lane is None or job.lane == lane:
                current = self._current(job)
                if current.state == "running":
                    return self._slice(current, limit)
        return 0

    def _current(self, job: JobState) -> JobState:
        """The stored state: somebody may have paused or cancelled the job."""
        with self._repo.snapshot() as snapshot:
            (version,) = snapshot.read(JOBS, STATE, [encode_key((job.id,))])
        assert self._running is not None and version is not None
        current = decode_job_state(version.value or b"")
        if current.state in ("running", "paused"):
            self._running[job.id] = current
        else:
            self._running.pop(job.id, None)
        return current

    def _slice(self, job: JobState, limit: int) -> int:
        with self._durable.group():
            count = self._slices[job.kind](job, limit)
            job.done += count
            if not job.cursor:
                job.state, job.finished_ms = "done", self._clock.now_ms()
            self._store(job)
        if job.state == "done" and self._running is not None:
            self._running.pop(job.id, None)
        return max(count, 1)

    def _fanout(self, job: JobState, limit: int) -> int:
        cause = decode_cause(job.change)
        target = self._targets[job.target]
        frames = decode_frames(job.cursor)
        with self._repo.snapshot(at_least=cause.change) as snapshot:
            found = self._climber.climb(snapshot, target, frames, limit)
        self._build(target.document, found, cause)
        job.cursor = encode_frames(frames) if frames else b""
        return len(found)

    def _refresh(self, job: JobState, limit: int) -> int:
        root = self._application.flows.documents[job.target].root
        keys = self._page(job, root, limit)
        self._build(job.target, keys, Cause(job.at, Lane.LOW))
        return len(keys)

    def _handle(self, job: JobState, limit: int) -> int:
        handler, _, table = job.target.partition(" ")
        keys = self._page(job, table, limit)
        cause = Cause(job.at, Lane.LOW)
        calls = {Call(handler, row_of(table, key)): (frozenset[str](), cause) for key in keys}
        if calls and self._handlers.run(calls):
            raise UnavailableError(f"job {job.id!r}: conflicts go on; the slice is tried again")
        return len(keys)

    def _build(self, document_type: str, keys: Sequence[bytes], cause: Cause) -> None:
        if keys and self._builders[document_type].build(dict.fromkeys(keys, cause)):
            raise UnavailableError(f"a refresh of {document_type!r} meets conflicts; the slice is tried again")

    def _page(self, job: JobState, table: str, limit: int) -> list[bytes]:
        """The next keys of a table; moves the cursor, b"" at the end. The cursor is one byte and the last key."""
        group = self._application.flows.tables[table].key_group()
        with self._repo.snapshot() as snapshot:
            rows = snapshot.scan(table, group, after=job.cursor[1:], limit=limit)
        job.cursor = b"\1" + rows[-1][0] if len(rows) == limit else b""
        return [key for key, _ in rows]

    def _begin(self, name: str, kind: str, target: str) -> bool:
        """Creates the job if there is none of that name; True when it is done (or was cancelled)."""
        with self._repo.snapshot() as snapshot:
            (stored,) = snapshot.read(JOBS, STATE, [encode_key((name,))])
            at = snapshot.timestamp
        if stored is None or stored.value is None:
            self._create(name, kind, Cause(at, Lane.LOW), target, b"\1", b"")
            return False
        return decode_job_state(stored.value).state in ("done", "cancelled")

    def _create(self, name: str, kind: str, cause: Cause, target: str, cursor: bytes, change: bytes) -> None:
        self.running()
        job = JobState(
            id=name,
            kind=kind,
            lane=cause.lane,
            at=cause.change,
            target=target,
            change=change,
            cursor=cursor,
            started_ms=self._clock.now_ms(),
        )
        assert self._running is not None
        self._store(job)
        self._running[name] = job

    def _store(self, job: JobState) -> None:
        with self._repo.snapshot() as snapshot:
            transaction = Transaction(snapshot.timestamp)
        transaction.write(JOBS, encode_key((job.id,)), STATE, encode(job))
        self._repo.commit([transaction])
