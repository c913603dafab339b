"""What moves around one document right now: its source, what waits for it, what failed, who runs."""

from collections.abc import Collection, Iterator

import msgspec

from argus.failures import document_subject
from argus.generations import load
from argus.job_states import all_jobs
from ops.addresses import source_of
from ops.engine.liveness import Liveness
from ops.engine.status import read_statuses
from ops.installation import load_installation
from ops.lookup.published import find
from ops.lookup.queues import Queues
from ops.lookup.read_rows import row_text
from ops.lookup.source_look import SourceLook, look
from ops.lookup.stored import Stored
from ops.lookup.touching import Touching
from ops.opened import DataFolder
from ops.readers import TELL_EVERY_MS, stands
from ops.roles import ROLES, at_work, roles_of
from proto.codec import decode_key
from proto.events import DOCUMENTS, RowChange, decode_notification, decode_unit
from proto.flows.model import Document
from proto.lane import Lane
from proto.ports.dead_letters import DeadLetterEntry
from repo.drops import ARGUS, UPDATER, DroppedRow, Piles, dropped_row, open_rows
from repo.system import JobState
from ui.why import facts

_DROPPED_MAX = 10_000
"""Dropped rows that are looked through."""
_SILENT_MS = 5_000.0
"""A reader that has a version says so within this time."""


class Present:
    """Of one document. tables: that it reads."""

    def __init__(
        self, folder: DataFolder, document: Document, key: bytes, stored: Stored, touching: Touching,
        tables: Collection[str],
    ) -> None:  # fmt: skip
        self._folder, self._document, self._key = folder, document, key
        self._stored, self._touching, self._source = stored, touching, source_of(key)
        live = Liveness(folder.path).others()
        self._running = roles_of(at_work(folder.repo, live))
        self._started = roles_of(live)
        statuses = read_statuses(folder.path, [process.pid for process in live])
        self._now_ms = folder.clock.now_ms()
        self._queues = Queues(folder, statuses, self._now_ms)
        root, failure = folder.flows.tables[document.root], self._queues.failure(f"gateway {self._source}")
        urls = load_installation(folder.path).sources
        self.source: SourceLook = look(folder, urls, self._source, root, key, touching, tables, failure)

    def now(self) -> facts.Now:
        """Everything that the rules ask about the present."""
        queues, document = self._queues, self._stored.document
        stale = tuple(self._stale()) if document.exists else ()
        newer = [one.changed_at for one in stale]
        return facts.Now(
            running=self._running,
            start=self._start(),
            first=self._first(),
            capture=self.source.capture,
            letters=tuple(map(self._letter, filter(self._concerns, self._folder.dead_letters.entries()))),
            jobs=tuple(self._jobs()),
            stale=stale,
            apply=queues.units(self._source, self._stored.source, self._touching),
            notice=None if self._first() else queues.notices(self._touching, document.built_at, newer),
            publication=queues.publication(self._document.name, self._key, document.sequence),
            publishing_paused=queues.publishing_paused(),
            dropped=tuple(self._dropped()),
            readers=tuple(self._readers()),
        )

    def _dropped(self) -> Iterator[facts.Dropped]:
        """Rows that are not healed first."""
        if not any(pile.dropped for pile in Piles(self._folder.repo).now()):
            return
        with self._folder.repo.snapshot() as snapshot:
            rows = [row for row in open_rows(snapshot, _DROPPED_MAX) if self._is_its(row)]
            places = [(UPDATER, self._source), (ARGUS, "")]
            rows += [
                row
                for stage, source in places
                for table, key in self._touching.read
                if (row := dropped_row(snapshot, stage, source, table, key)) is not None and row.healed_ms
            ]
        for row in rows:
            yield facts.Dropped(row_text(row.table, row.key), row.reason, row.dropped_ms, row.healed_ms)

    def _is_its(self, row: DroppedRow) -> bool:
        if row.stage == UPDATER:
            return (row.table, row.key) in self._touching.read
        moves = {name: (old, new) for name, old, new in row.moves}
        return self._touching.change(RowChange(row.table, row.key, row.columns, moves))

    def _readers(self) -> Iterator[facts.Reader]:
        """Whoever has said where it stands since the newest version was readable, or not for a while."""
        end = self._folder.log.bounds(DOCUMENTS, 0)[1]
        found = find(self._folder.log, self._document.name, self._key, self._stored.document.sequence)
        published_ms = found.delta.publish_ms if found is not None else 0.0
        for stand in stands(self._folder.path):
            behind = found is not None and found.offset >= stand.offset
            heard = stand.at_ms > published_ms + TELL_EVERY_MS
            if not behind or heard or self._now_ms > published_ms + _SILENT_MS:
                yield facts.Reader(stand.name, end - stand.offset if behind else 0, stand.at_ms)

    def _start(self) -> str:
        """The command that starts what was not started; "" when all roles were."""
        missing = [role for role in ROLES if role not in self._started]
        roles = "" if len(missing) == len(ROLES) else f" --role {','.join(missing)}"
        return f"adsindex run --data {self._folder.path}{roles}" if missing else ""

    def _first(self) -> bool:
        """No document of this type was ever brought up to date."""
        state = load(self._folder.repo)
        return state is None or f"document {self._document.name}" not in state.built

    def _stale(self) -> Iterator[facts.Stale]:
        for row in self._stored.rows:
            for name, column in row.columns.items():
                if column.used and column.changed_at > self._stored.document.built_at and row.key is not None:
                    yield facts.Stale(row.address, name, column.changed_at)

    def _jobs(self) -> Iterator[facts.Job]:
        """Refreshes of the type that began after its build, and fan-outs of rows that it reads."""
        with self._folder.repo.snapshot() as snapshot:
            jobs = [job for _, job in all_jobs(snapshot) if job.is_live]
        for job in jobs:
            if job.at > self._stored.document.built_at and self._is_for(job):
                lane = Lane(job.lane).name.lower()
                yield facts.Job(job.id, job.kind, lane, job.state, job.done, job.attempts, job.error)

    def _is_for(self, job: JobState) -> bool:
        if job.kind == "refresh":
            return job.target == self._document.name
        if job.kind != "fanout" or not job.target.startswith(f"{self._document.name}:"):
            return False
        rows = [f" {table}/{','.join(map(str, decode_key(key)[1:]))}@" for table, key in self._touching.read]
        return any(row in job.id for row in rows)

    def _concerns(self, letter: DeadLetterEntry) -> bool:
        """A letter without a key holds the message that nobody could process."""
        if letter.stage == "build" and letter.subject == document_subject(self._document.name, self._key):
            return True
        if letter.key:
            return letter.stage != "build" and (letter.table, letter.key) in self._touching.read
        return bool(letter.message) and self._told(letter)

    def _letter(self, entry: DeadLetterEntry) -> facts.Letter:
        own = (entry.table, entry.key) == (self._document.root, self._key)
        return facts.Letter(entry.stage, entry.subject, entry.column, entry.reason, entry.attempts, entry.last_ms, own)

    def _told(self, letter: DeadLetterEntry) -> bool:
        try:
            if letter.stage == "build":
                _, notification = decode_notification(letter.message)
                return any(map(self._touching.change, notification.changes))
            if letter.stage == "apply":
                unit = decode_unit(letter.message)
                return unit.source == self._source and any(map(self._touching.rows, unit.tables))
        except msgspec.DecodeError:
            return False  # what it was about nobody can say
        return False
