"""One slice of a job, by kind: some documents of a fan-out, of a refresh; some calls of a handler over all rows."""

from collections.abc import Callable, Mapping, Sequence

from argus.build import Builder
from argus.calls import Call, Pending
from argus.climb import Climber, Target, decode_frames, encode_frames
from argus.context import row_of
from argus.handle import Handlers
from argus.registry import Application
from proto.errors import UnavailableError
from proto.events import Cause, decode_cause
from proto.lane import Lane
from repo.api import Repo
from repo.system import JobState

BEGIN = b"\1"
"""Cursor of a job over a table: one byte and the last key; b"": at the end."""


class Slices:
    """Works on jobs, and moves their cursors; an empty cursor is the end. Stores nothing about them."""

    def __init__(
        self,
        repo: Repo,
        application: Application,
        builders: Mapping[str, Builder],
        climber: Climber,
        targets: Mapping[str, Target],
        handlers: Handlers,
    ) -> None:
        self._repo, self._application = repo, application
        self._builders, self._climber, self._targets, self._handlers = builders, climber, targets, handlers
        self._kinds: dict[str, Callable[[JobState, int], int]] = {
            "fanout": self._fanout,
            "refresh": self._refresh,
            "handle": self._handle,
        }

    def knows(self, job: JobState) -> bool:
        """False for a job of earlier flows, whose target is gone. What replaced it is rebuilt anyway."""
        if job.kind == "fanout":
            return job.target in self._targets
        if job.kind == "refresh":
            return job.target in self._builders
        handler, _, table = job.target.partition(" ")
        return handler in self._application.handlers and table in self._application.flows.tables

    def work(self, job: JobState, limit: int) -> int:
        """Returns how many documents or rows it took on, `limit` at most.

        Raises UnavailableError when some of them must be tried again; the cursor must then not be stored.
        """
        return self._kinds[job.kind](job, limit)

    def _fanout(self, job: JobState, limit: int) -> int:
        cause = decode_cause(job.change)
        target = self._targets[job.target]
        frames = decode_frames(job.cursor)
        with self._repo.snapshot(at_least=cause.change) as snapshot:
            found = self._climber.climb(snapshot, target, frames, limit)
        self._build(job, target.document, found, cause)
        job.cursor = encode_frames(frames) if frames else b""
        return len(found)

    def _refresh(self, job: JobState, limit: int) -> int:
        keys = self._page(job, self._application.flows.documents[job.target].root, limit)
        self._build(job, job.target, keys, Cause(job.at, job.lane))
        return len(keys)

    def _handle(self, job: JobState, limit: int) -> int:
        handler, _, table = job.target.partition(" ")
        keys = self._page(job, table, limit)
        cause = Cause(job.at, Lane.LOW)
        if self._handlers.run({Call(handler, row_of(table, key)): Pending(cause) for key in keys}):
            raise UnavailableError(f"job {job.id!r}: conflicts go on; the slice is tried again")
        return len(keys)

    def _build(self, job: JobState, document_type: str, keys: Sequence[bytes], cause: Cause) -> None:
        if keys and self._builders[document_type].build(dict.fromkeys(keys, cause)):
            raise UnavailableError(f"job {job.id!r}: conflicts go on, or newer flows have built some; tried again")

    def _page(self, job: JobState, table: str, limit: int) -> list[bytes]:
        """The next keys of a table; moves the cursor."""
        group = self._application.flows.tables[table].key_group()
        with self._repo.snapshot() as snapshot:
            rows = snapshot.scan(table, group, after=job.cursor[1:], limit=limit)
        job.cursor = BEGIN + rows[-1][0] if len(rows) == limit else b""
        return [key for key, _ in rows]
