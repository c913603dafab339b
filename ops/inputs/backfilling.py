"""Drives a backfill: which rows, from where on, not faster than they are applied, and what became of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import xxhash

from gateway.backfill import Backfill, BackfillLog, BackfillProgress, FileMark, Remark
from gateway.capture.file.port import RowFile
from gateway.feed import RowCheck
from gateway.feed_columns import check_columns, parse_map
from gateway.settings import GatewaySettings
from ops.engine.liveness import Liveness
from ops.inputs.feeds import feed_source, feed_table
from ops.inputs.files import Format, find_files, open_file
from ops.inputs.report_file import ReportFile
from ops.opened import DataFolder
from ops.topics import ARGUS
from proto.errors import SettingsError, UnavailableError
from proto.events import NOTIFICATIONS, lane_topic
from proto.lane import Lane
from repo.system import FEED_STATES, STATE, FeedState, decode_feed_state, feed_key
from updater.preview import Preview

_LOOK_S = 0.05
_PATIENCE_MS = 10_000.0
"""So long nobody may be there who applies rows: a process that was killed is started again."""

_AHEAD_OF_THE_CLOCK_MS = 60_000.0

_REST = 2.0
"""Behind a page, times what it took: pages without a rest keep disk and writer lock from edits until feed_ahead_rows
are sent."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for. as_of_ms None: each file's time of change; source "": the only one; report None: the data
    folder's own file."""

    path: Path
    table: str
    source: str = ""
    form: Format | None = None
    maps: tuple[str, ...] = ()
    as_of_ms: float | None = None
    partial: bool = False
    dry_run: bool = False
    resume: bool = False
    report: Path | None = None


class Summary(msgspec.Struct, kw_only=True):
    """written, unchanged, older: None while nobody has applied them. resumed_at: rows that were read before, if it went
    on. remarks: the first ones; all stand in the report."""

    table: str
    source: str
    files: int
    read: int
    sent: int
    rejected: int
    duplicates: int
    written: int | None = None
    unchanged: int | None = None
    older: int | None = None
    resumed_at: int | None = None
    dry_run: bool = False
    report: str | None = None
    seconds: float = 0.0
    remarks: list[Remark] = []


Tell = Callable[[BackfillProgress, int], None]
"""(progress, rows applied): for whoever shows it."""


class Backfilling:
    """One backfill of one table, in a process of its own beside those that run."""

    def __init__(
        self, folder: DataFolder, request: Request, settings: GatewaySettings, liveness: Liveness,
        sleep: Callable[[float], object], tell: Tell,
    ) -> None:  # fmt: skip
        """sleep: for so many seconds. Reads nothing but the files' heads. Raises SettingsError for everything that is
        wrong by then."""
        self._folder, self._request, self._settings = folder, request, settings
        self._liveness, self._sleep, self._tell = liveness, sleep, tell
        self._table = feed_table(folder.flows, request.table)
        self._source = feed_source(self._table, folder.sources(), request.source)
        if not request.dry_run and not liveness.claim("backfill", f"{self._source}:{request.table}", 0):
            raise SettingsError(f"another backfill of table {request.table!r} is running; wait for its end")
        self._columns = parse_map(request.maps, self._table)
        self._resumed_at: int | None = None
        self._progress = self._begin(BackfillLog(folder.log, self._source, request.table).load())
        own = folder.path / "backfills" / f"{self._source}.{request.table}.jsonl"
        self._report = ReportFile(request.report or (None if request.dry_run else own))

    def run(self) -> Summary:
        """To the end. Whatever stops it, `resume` goes on exactly there."""
        began_ms = self._folder.clock.monotonic_ms()
        preview = self._preview() if self._request.dry_run else None
        backfill = Backfill(
            self._folder.log, self._source, self._table.name, self._check, self._open, self._report, self._settings,
            self._folder.clock, self._progress, preview.add if preview else None,
        )  # fmt: skip
        applied = self._applied()
        while True:
            if preview is None:
                applied = self._room(backfill.progress)
            self._tell(backfill.progress, applied.rows)
            page_ms = self._folder.clock.monotonic_ms()
            if not backfill.step():
                break
            if preview is None:
                self._sleep((self._folder.clock.monotonic_ms() - page_ms) * _REST / 1000)
        state = preview.state if preview else self._all_applied(backfill.progress)
        summary = self._summary(backfill.progress, state)
        summary.seconds = round((self._folder.clock.monotonic_ms() - began_ms) / 1000, 3)
        self._report.finish(backfill.progress.report_bytes, msgspec.structs.replace(summary, remarks=[]))
        return summary

    def _begin(self, known: BackfillProgress | None) -> BackfillProgress:
        """The one that was stopped, if it is to go on; else a new one, every file of which was looked at."""
        request = self._request
        paths = find_files(request.path, request.form)
        if request.resume and known is not None and not known.done:
            stopped = [mark.path for mark in known.files]
            if stopped != paths:
                raise SettingsError(_another(request.path, stopped, paths))
            self._resumed_at, self._columns = known.read, known.columns
            return known
        now_ms = self._folder.clock.now_ms()
        marks = [self._mark(path, now_ms) for path in paths]
        asked = msgspec.json.encode((marks, self._columns, request.partial, now_ms))
        return BackfillProgress(f"{xxhash.xxh3_64_hexdigest(asked)}", marks, self._columns, request.partial)

    def _mark(self, path: str, now_ms: float) -> FileMark:
        file = self._open(path)
        file.close()
        check_columns(file, self._table, self._columns, self._request.partial)
        version = file.modified_ms if self._request.as_of_ms is None else self._request.as_of_ms
        if version > now_ms + _AHEAD_OF_THE_CLOCK_MS:
            hint = "newer rows would lose to it until then; say --as-of with the time at which its rows held"
            raise SettingsError(f"{path} is as of a time to come: {hint}")
        return FileMark(path, file.fingerprint, int(version), file.size)

    def _open(self, path: str) -> RowFile:
        return open_file(path, self._request.form)

    def _check(self, file: RowFile) -> RowCheck:
        progress = self._progress
        return RowCheck(self._source, self._table, progress.columns, partial=progress.partial, base64=file.base64)

    def _preview(self) -> Preview:
        folder = self._folder
        return Preview(folder.repo, folder.schemas, folder.flows, self._source, self._table.name)

    def _room(self, progress: BackfillProgress) -> FeedState:
        """Waits until so little is left in the log that another page may go."""
        patience_ms = self._folder.clock.monotonic_ms() + _PATIENCE_MS
        while True:
            applied = self._applied()
            ahead = max(progress.sent - applied.rows, self._waiting() * self._settings.feed_unit_rows_max)
            if ahead < self._settings.feed_ahead_rows or progress.done:
                return applied
            self._tell(progress, applied.rows)
            self._sleep(_LOOK_S)
            if self._somebody_applies():
                patience_ms = self._folder.clock.monotonic_ms() + _PATIENCE_MS
            elif self._folder.clock.monotonic_ms() > patience_ms:
                raise UnavailableError(
                    f"nobody applies the {ahead:,} rows that wait: start `adsindex run --data {self._folder.path}`, "
                    "then go on with --resume"
                )

    def _all_applied(self, progress: BackfillProgress) -> FeedState | None:
        """Once everything is applied; None: there is nobody to apply it now."""
        while (state := self._applied()).rows < progress.sent:
            if not self._somebody_applies():
                return None
            self._tell(progress, state.rows)
            self._sleep(_LOOK_S)
        return state

    def _applied(self) -> FeedState:
        key = feed_key(self._source, self._table.name)
        with self._folder.repo.snapshot() as snapshot:
            (version,) = snapshot.read(FEED_STATES, STATE, [key])
        state = None if version is None or version.value is None else decode_feed_state(version.value)
        return state if state is not None and state.job == self._progress.job else FeedState(self._progress.job)

    def _waiting(self) -> int:
        """Messages that the fed rows have led to, and that are not worked off."""
        topic, log = lane_topic(NOTIFICATIONS, Lane.LOW), self._folder.log
        return sum(end - log.position(ARGUS, *place) for place, end in log.ends([topic]).items())

    def _somebody_applies(self) -> bool:
        return any("updater" in process.role for process in self._liveness.others())

    def _summary(self, progress: BackfillProgress, state: FeedState | None) -> Summary:
        found = Summary(
            table=self._table.name, source=self._source, files=len(progress.files), read=progress.read,
            sent=progress.sent, rejected=progress.rejected, duplicates=progress.duplicates,
            resumed_at=self._resumed_at, dry_run=self._request.dry_run, remarks=self._report.first,
            report=str(self._report.path) if self._report.path else None,
        )  # fmt: skip
        if state is not None:
            found.written, found.unchanged, found.older = state.written, state.unchanged, state.older
        return found


def _another(path: Path, stopped: Sequence[str], paths: Sequence[str]) -> str:
    """Why these files are not those of the backfill that was stopped."""
    gone = [one for one in stopped if one not in paths]
    if gone == stopped:
        return f"what was stopped is a backfill of {stopped[0]}, not of {path}: name that, or begin without --resume"
    changed = [f"{one} is not there any more" for one in gone] + [
        f"{one} has come" for one in paths if one not in stopped
    ]
    return f"since the backfill of {path} was stopped, {changed[0]}: begin again, without --resume"
