"""Files -> source units of a feed, a page at a time; each page and the place behind it become durable together, so
that whatever is killed, it goes on exactly where it stopped."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec
import xxhash

from gateway.capture.file.port import FileRow, Page, Place, RowFile
from gateway.feed import CheckedRow, Refused, RowCheck, append_units, feed_units
from gateway.settings import GatewaySettings
from proto.errors import SettingsError
from proto.events import BACKFILLS, Unit, encode
from proto.lane import Lane
from proto.ports.clock import Clock
from proto.ports.log import Log

KEYS_REMEMBERED_MAX = 1_000_000
"""Behind so many rows of one file, a key that comes twice is no longer told; the later row still wins."""


class FileMark(msgspec.Struct, array_like=True, frozen=True):
    """A file, as it was when the backfill began. version: of its rows, ms since 1970 as of which they hold; size: as
    RowFile.size."""

    path: str
    fingerprint: str
    version: int
    size: int = 0


class BackfillProgress(msgspec.Struct, array_like=True):
    """Everything that a new process needs to go on.

    job        names this backfill among others of the table
    columns    file column -> column
    at, place  the file that is read, and how far
    sent       rows that are in the log; duplicates are among them
    report_bytes   how much of the report is about what is in the log
    """

    job: str
    files: list[FileMark]
    columns: dict[str, str] = {}
    partial: bool = False
    at: int = 0
    place: Place = Place()
    read: int = 0
    sent: int = 0
    rejected: int = 0
    duplicates: int = 0
    report_bytes: int = 0

    @property
    def done(self) -> bool:
        return self.at >= len(self.files)

    @property
    def share(self) -> float:
        """How much is read, from 0 to 1."""
        read = sum(mark.size for mark in self.files[: self.at]) + (self.place.byte or self.place.row)
        return read / max(1, sum(mark.size for mark in self.files))


class Remark(msgspec.Struct):
    """One line of the report: a row that was rejected, or whose key came before in its file."""

    file: str
    row: int
    column: str
    reason: str
    rejected: bool = True


class Report(Protocol):
    """Where remarks go, in order."""

    def write(self, at: int, remarks: Sequence[Remark]) -> int:
        """Durably, behind the first `at` bytes, in place of whatever is there; returns where it ends."""
        ...


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(BackfillProgress).decode


class BackfillLog:
    """The progress of the newest backfill of a feed: the last message of a partition."""

    def __init__(self, log: Log, source: str, table: str) -> None:
        self._log, self._partition = log, log.partition_of(BACKFILLS, f"{source}:{table}")

    def load(self) -> BackfillProgress | None:
        """None: there was never one."""
        first, end = self._log.bounds(BACKFILLS, self._partition)
        found = self._log.read(BACKFILLS, self._partition, end - 1, 1) if end > first else []
        return _decode(found[-1].value) if found else None

    def save(self, progress: BackfillProgress) -> None:
        """Durable with the group around it."""
        end = self._log.append(BACKFILLS, self._partition, [_encode(progress)])
        self._log.trim(BACKFILLS, self._partition, end)


class Backfill:
    """One table's. `step` until it says that there is no more."""

    def __init__(
        self, log: Log, source: str, table: str, checks: Callable[[RowFile], RowCheck],
        open_file: Callable[[str], RowFile], report: Report, settings: GatewaySettings, clock: Clock,
        progress: BackfillProgress, preview: Callable[[Sequence[Unit]], None] | None = None,
    ) -> None:  # fmt: skip
        """preview: for a dry run; units go there, nothing is sent, and nothing kept."""
        self.progress = progress
        self._log, self._source, self._table = log, source, table
        self._checks, self._open_file, self._report = checks, open_file, report
        self._settings, self._clock, self._preview = settings, clock, preview
        self._kept = None if preview else BackfillLog(log, source, table)
        self._file: RowFile | None = None
        self._check: RowCheck  # of its rows
        self._pages: Iterator[Page] = iter(())
        self._seen: set[int] = set()

    def step(self) -> bool:
        """One page. False: everything is read. Raises SettingsError when a file is not what it was when this began;
        UnavailableError when the log can't take it: then the same page is read again."""
        if self.progress.done:
            return False
        try:
            self._take()
        except BaseException:
            self.close()
            raise
        return True

    def close(self) -> None:
        """Lets go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _take(self) -> None:
        file = self._file or self._opened()
        page = next(self._pages, None)
        if file.changed():
            raise SettingsError(
                f"{file.path} was changed while it was read; {self.progress.sent:,} rows are sent, none of what came "
                "after the change. Run it again when nobody writes the file"
            )
        if page is None:
            self.close()
            self._keep([], msgspec.structs.replace(self.progress, at=self.progress.at + 1, place=Place()))
            return
        good, remarks = self._checked(file, page.rows)
        before, mark = self.progress, self.progress.files[self.progress.at]
        rejected = sum(remark.rejected for remark in remarks)
        after = msgspec.structs.replace(
            before,
            place=page.place,
            read=before.read + len(page.rows),
            sent=before.sent + len(good),
            rejected=before.rejected + rejected,
            duplicates=before.duplicates + len(remarks) - rejected,
            report_bytes=self._report.write(before.report_bytes, remarks) if remarks else before.report_bytes,
        )
        now_ms = self._clock.now_ms()
        rows = ((mark.version, row) for row in good)
        unit_rows_max = self._settings.feed_unit_rows_max
        units = feed_units(
            self._source, self._table, "backfill", Lane.LOW, rows, unit_rows_max, now_ms, before.job, before.sent
        )
        self._keep(list(units), after)

    def _keep(self, units: Sequence[Unit], after: BackfillProgress) -> None:
        if self._preview is not None:
            self._preview(units)
        elif self._kept is not None:
            messages = [encode(unit) for unit in units]  # before the group: while it writes, edits wait for the lock
            with self._log.group():
                append_units(self._log, Lane.LOW, self._source, self._table, messages)
                self._kept.save(after)
        self.progress = after

    def _opened(self) -> RowFile:
        mark = self.progress.files[self.progress.at]
        file = self._file = self._open_file(mark.path)
        if file.fingerprint != mark.fingerprint:
            raise SettingsError(f"{mark.path} was changed since this backfill began; begin again, without --resume")
        self._seen.clear()
        self._check = self._checks(file)
        self._pages = file.pages(self.progress.place, self._settings.backfill_page_rows)
        return file

    def _checked(self, file: RowFile, rows: Sequence[FileRow]) -> tuple[list[CheckedRow], list[Remark]]:
        good: list[CheckedRow] = []
        remarks: list[Remark] = []
        for row in rows:
            found = Refused("", row.fault) if row.fault else self._check.check(row.values)
            if isinstance(found, Refused):
                remarks.append(Remark(file.path, row.number, found.column, found.reason))
                continue
            good.append(found)
            if self._comes_again(found.key):
                remarks.append(Remark(file.path, row.number, "", "its key came before; the later row wins", False))
        return good, remarks

    def _comes_again(self, key: bytes) -> bool:
        digest = xxhash.xxh3_64_intdigest(key)
        if digest in self._seen:
            return True
        if len(self._seen) < KEYS_REMEMBERED_MAX:
            self._seen.add(digest)
        return False
