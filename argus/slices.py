"""One slice of a job, by kind: documents of a fan-out, of a refresh, with old signals; calls of a handler over rows.

A job over a table is handed out to processes in shares of SHARE_ROWS, so that several can work on it; a fan-out goes to
one of them.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from argus.build import Builder
from argus.calls import Call, Pending
from argus.climb import Climber, Target
from argus.context import row_of
from argus.handle import Handlers
from argus.registry import Application
from argus.signals.ahead import Ahead
from argus.stretches import Stretches
from proto.errors import UnavailableError
from proto.events import Cause, decode_cause
from proto.lane import Lane
from repo.api import Repo
from repo.system import JobState

BEGIN = b"\1"
"""Cursor of a job over a table: one byte and the last key; b"": at the end."""

SHARE_ROWS = 1024
_OF_DOCUMENTS = ("refresh", "signals")
_LOOKS_PER_BUILD = 16  # finding a document, or looking at its build record, costs so much less than a build


class Part(NamedTuple):
    """What was done of a share. documents: or rows, that it took on; rest: of the share, b"" when it is done; effort:
    as many builds cost about as much.

    Without documents, and with the whole share as rest, there is nothing to store: without effort, too, signals were
    asked for, and are to be waited for.
    """

    documents: int
    rest: bytes
    effort: int


class _Range(msgspec.Struct, array_like=True, gc=False):
    """A share of a table: after < key <= last; last None: to the end."""

    after: bytes
    last: bytes | None


_decode_range = msgspec.msgpack.Decoder(_Range).decode
_encode = msgspec.msgpack.encode


class Slices:
    """Works on jobs. Stores nothing about them."""

    def __init__(
        self,
        repo: Repo,
        application: Application,
        builders: Mapping[str, Builder],
        climber: Climber,
        targets: Mapping[str, Target],
        handlers: Handlers,
        ahead: Mapping[str, Ahead],
    ) -> None:
        self._repo, self._application = repo, application
        self._builders, self._climber, self._targets, self._handlers = builders, climber, targets, handlers
        self._ahead = ahead
        self._stretches = Stretches()
        self._kinds: dict[str, Callable[[JobState, bytes, int], Part]] = {
            "fanout": self._fanout,
            "refresh": self._refresh,
            "signals": self._signals,
            "handle": self._handle,
        }

    def knows(self, job: JobState) -> bool:
        """False for a job of earlier flows, whose target is gone. What replaced it is rebuilt anyway."""
        if job.kind == "fanout":
            return job.target in self._targets
        if job.kind in _OF_DOCUMENTS:
            return job.target in self._builders
        handler, _, table = job.target.partition(" ")
        return handler in self._application.handlers and table in self._application.flows.tables

    def hand_out(self, job: JobState) -> bytes:
        """The next share of a job; moves its cursor."""
        if job.kind == "fanout":
            share, job.cursor = job.cursor, b""
            return share
        after = job.cursor[1:]
        keys = self._keys(job, after, SHARE_ROWS)
        last = keys[-1] if len(keys) == SHARE_ROWS else None
        job.cursor = b"" if last is None else BEGIN + last
        return _encode(_Range(after, last))

    def work(self, job: JobState, share: bytes, limit: int) -> Part:
        """Takes on `limit` documents or rows of a share at most.

        Raises UnavailableError when some of them must be tried again; then all of them must.
        """
        return self._kinds[job.kind](job, share, limit)

    def forget(self) -> None:
        """What was done may have been undone: only what is stored counts."""
        self._stretches.forget()

    def _fanout(self, job: JobState, share: bytes, limit: int) -> Part:
        cause, target = decode_cause(job.change), self._targets[job.target]
        stretch, effort = self._stretches.of(job.id, share), 0
        if not stretch.is_found:
            with self._repo.snapshot(at_least=cause.change) as snapshot:
                found = stretch.find(self._climber, snapshot, target, limit * _LOOKS_PER_BUILD)
            effort = max(found // _LOOKS_PER_BUILD, 1)
            if not stretch.is_found:
                return Part(0, share, effort)
        counts, documents, passed_over = self._builders[target.document].counts, 0, 0
        for _ in range(_LOOKS_PER_BUILD):
            already, keys = counts.already, stretch.take(limit)
            self._build(job, target.document, keys, cause)
            documents += len(keys)
            passed_over += counts.already - already
            if passed_over < documents or not keys:  # else a process before this one has built them
                break
        cost = documents - passed_over + passed_over // _LOOKS_PER_BUILD
        return Part(documents, stretch.rest(), max(cost, effort))

    def _refresh(self, job: JobState, share: bytes, limit: int) -> Part:
        ahead = self._ahead[job.target]
        if ahead.waits(job.id, share):
            return Part(0, share, 0)
        keys, rest = self._page(job, share, limit)
        if ahead and ahead.ask(job.id, share, keys):
            return Part(0, share, 0)
        self._build(job, job.target, keys, Cause(job.at, job.lane))
        return Part(len(keys), rest, len(keys))

    def _signals(self, job: JobState, share: bytes, limit: int) -> Part:
        """Builds those documents whose signals are too old."""
        ahead = self._ahead[job.target]
        if ahead.waits(job.id, share):
            return Part(0, share, 0)
        keys, rest = self._page(job, share, limit * _LOOKS_PER_BUILD)
        old, wait = ahead.old(job.id, share, keys)
        if wait:
            return Part(0, share, 0)
        if len(old) > limit:
            old, rest = old[:limit], _encode(_Range(old[limit - 1], _decode_range(share).last))
        self._build(job, job.target, old, Cause(self._repo.last_timestamp(), Lane.LOW))
        return Part(len(old), rest, max(len(old), len(keys) // _LOOKS_PER_BUILD, 1))

    def _handle(self, job: JobState, share: bytes, limit: int) -> Part:
        handler, _, table = job.target.partition(" ")
        keys, rest = self._page(job, share, limit)
        cause = Cause(job.at, Lane.LOW)
        if self._handlers.run({Call(handler, row_of(table, key)): Pending(cause) for key in keys}):
            raise UnavailableError(f"job {job.id!r}: conflicts go on; the slice is tried again")
        return Part(len(keys), rest, len(keys))

    def _build(self, job: JobState, document_type: str, keys: Sequence[bytes], cause: Cause) -> None:
        if keys and self._builders[document_type].build(dict.fromkeys(keys, cause)):
            raise UnavailableError(f"job {job.id!r}: conflicts go on, or newer flows have built some; tried again")

    def _page(self, job: JobState, share: bytes, limit: int) -> tuple[list[bytes], bytes]:
        """The next keys of a share, and its rest."""
        whole = _decode_range(share)
        keys = self._keys(job, whole.after, limit)
        done = len(keys) < limit
        if whole.last is not None and keys and keys[-1] >= whole.last:
            keys, done = keys[: bisect_right(keys, whole.last)], True
        return keys, b"" if done else _encode(_Range(keys[-1], whole.last))

    def _keys(self, job: JobState, after: bytes, limit: int) -> list[bytes]:
        flows = self._application.flows
        of_documents = job.kind in _OF_DOCUMENTS
        table = flows.documents[job.target].root if of_documents else job.target.partition(" ")[2]
        with self._repo.snapshot(job.at) as snapshot:  # a row that is added later has a notification of its own
            rows = snapshot.scan(table, flows.tables[table].key_group(), after, limit=limit)
        return [key for key, _ in rows]
