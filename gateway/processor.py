"""The gateway of one source: polls it, sends its units, and bootstraps its tables in between."""

from collections.abc import Sequence

import msgspec

from gateway.bootstrap import Bootstrap
from gateway.capture.port import Capture, Key, Mark, Shape
from gateway.identify import fed_elsewhere, identify
from gateway.materialize import Materializer
from gateway.progress import Progress, ProgressLog, Task
from gateway.read_size import ReadSize
from gateway.reconcile import reconcile
from gateway.route import captured_table, fed_tables
from gateway.send import Sender
from gateway.settings import GatewaySettings
from gateway.shortcuts import Shortcuts
from proto.errors import SettingsError, UnavailableError
from proto.events import TableRows
from proto.flows.model import Flows
from proto.ports.clock import Clock
from proto.ports.log import Log

_SCHEMA_CHANGES_MAX = 20
"""Within one step: somebody migrates; let the engine come back later."""


class Gateway:
    """One source, one thread. Whatever is killed or undone, a new object goes on where the log ends."""

    def __init__(
        self, source: str, flows: Flows, capture: Capture, log: Log, clock: Clock, settings: GatewaySettings,
        folder: str,
    ) -> None:  # fmt: skip
        """Does no IO: the first `step` attaches the source. `capture` is the gateway's own from now on.

        folder: the data folder, in full: a source feeds one.
        """
        tables = fed_tables(flows, source)
        self.source = source
        self._capture, self._log, self._clock, self._settings = capture, log, clock, settings
        self._columns = {table.name: table.read_columns() for table in tables}
        self._tables = {table.name: captured_table(table) for table in tables}
        self._lanes = {table.name: table.lane for table in tables}
        self._poll_size = ReadSize(clock, settings.read_ms_target, settings.read_rows_max)
        self._chunk_size = ReadSize(clock, settings.read_ms_target, settings.read_rows_max)
        self._folder = folder
        self._bootstrap = Bootstrap(source, capture)
        self._shortcuts = Shortcuts(source, flows, log)
        self._progress: Progress | None = None
        # Made by `_start`, with the progress: whoever has `_begun` has them.
        self._logged: ProgressLog
        self._sender: Sender
        self._shape = Shape(-1, "")
        self._dirty, self._unconfirmed = True, False
        self._trimmed = 0

    @property
    def progress(self) -> Progress | None:
        """How far it is, for status; not to be changed. None before the first step, and after an error."""
        return self._progress

    def stored_progress(self) -> Progress | None:
        """How far an earlier object came; None: there was none."""
        return ProgressLog(self._log, self.source).load()

    @property
    def units_cut(self) -> int:
        """Units above unit_rows_max, since this object was made."""
        return 0 if self._progress is None else self._sender.units_cut

    def step(self, budget_rows: int) -> bool:
        """Sends everything that the source has committed since the last step; then, when a table is to be read, a chunk
        of at most `budget_rows` rows (0: none now). True when it did something: there may be more.

        What it appends is durable with the caller's group, or when it returns. Raises UnavailableError when the source
        is locked or away (try again), SettingsError when it can't go on without a person.
        """
        try:
            worked = self._ensure_begun()
            if self._dirty or self._capture.changed():
                self._dirty = True
                with self._log.group():
                    worked |= self._stream()
            if budget_rows > 0 and self._begun.tasks:
                with self._log.group():
                    worked |= self._chunk(budget_rows)
            return worked
        except BaseException:
            self.undone()
            raise

    def hint(self) -> None:
        """The source was written, or will be in a moment: the next step reads it without asking first."""
        self._dirty = True

    def committed(self) -> None:
        """What the last steps have appended is durable."""
        self._unconfirmed = False

    def undone(self) -> None:
        """What the last steps have appended may not be there: the next step looks at the log first."""
        self._progress = None
        self._dirty, self._unconfirmed = True, False

    def compare(
        self, table: str, after: Key | None = None, through: Key | None = None, keys: Sequence[Key] | None = None
    ) -> None:
        """Queues a repair: the table, or its keys in (after, through], or only `keys`, are read again by chunks.

        Keys are raw values. Durable with the group. Raises SettingsError for a table that can't be read.
        """
        if table not in self._tables:
            raise SettingsError(f"source {self.source!r} has no table {table!r}; it has {', '.join(self._tables)}")
        self._ensure_begun()
        parked = self._begun.tables[table].parked
        if parked:
            raise SettingsError(f"table {table!r} is parked: {parked}")
        listed = None if keys is None else [tuple(key) for key in keys]
        self._begun.tasks.append(Task(table, False, True, after, through, listed))
        self._save()

    def trim(self) -> int:
        """Removes change-log entries that the log holds durably, one batch at most; returns how many. To be called now
        and then, outside of all groups. A source that is locked is left alone."""
        if self._progress is None or self._log.writing():
            return 0
        if self._unconfirmed:
            self._confirm()
        progress = self._progress
        if progress is None or progress.position - self._trimmed < self._settings.trim_rows:
            return 0
        with self._log.group():  # should retention remove all units from the log, the position is still there
            self._save()
        try:
            removed = self._capture.trim(progress.position, self._settings.trim_batch_rows)
        except UnavailableError:
            return 0
        if removed < self._settings.trim_batch_rows:
            self._trimmed = progress.position
        return removed

    def close(self) -> None:
        """Closes the source."""
        self._capture.close()

    @property
    def _begun(self) -> Progress:
        if self._progress is None:
            raise UnavailableError(f"source {self.source!r} is not attached yet; try again")
        return self._progress

    def _ensure_begun(self) -> bool:
        """`_begun` is what the log holds. True when something had to be done for that."""
        if self._unconfirmed:
            self._confirm()
        return self._progress is None and self._start()

    def _confirm(self) -> None:
        """A group that was undone took units with it that this object believes sent."""
        if not self._logged.holds():
            self.undone()
        elif not self._log.writing():
            self._unconfirmed = False

    def _start(self) -> bool:
        with self._log.group():
            self._logged = ProgressLog(self._log, self.source)
            rows_max = self._settings.unit_rows_max
            self._sender = Sender(self.source, self._logged, self._shortcuts, self._lanes, rows_max, self._clock)
            progress = identify(self.source, self._capture, self._logged.load())
            if other := self._capture.claim(self._folder):
                raise SettingsError(fed_elsewhere(self.source, other))
            self._progress = progress
            return self._adopt_schema()

    def _adopt_schema(self) -> bool:
        """Looks at the schema, tells what is parked or back, keeps what is to be read again. True: something is."""
        progress = self._begun
        self._shape = self._capture.refresh(list(self._tables.values()))
        self._bootstrap.forget()
        before = msgspec.msgpack.encode(progress)
        found = reconcile(progress, self._shape, self._columns)
        for name, reason in found.parked.items():
            self._sender.parked(progress, name, reason)
        if found.unparked:
            self._sender.unparked(progress, tuple(found.unparked))
        self._announce()
        if msgspec.msgpack.encode(progress) == before:
            return False
        self._save()
        return True

    def _stream(self) -> bool:
        for _ in range(_SCHEMA_CHANGES_MAX):
            found = self._materialize(self._begun.mark)
            if found is not None:
                break
            self._progress = identify(self.source, self._capture, self._begun)
            self._adopt_schema()
        else:
            raise UnavailableError(f"the schema of source {self.source!r} keeps changing")
        progress, (mark, tables) = self._begun, found
        self._dirty = False
        if mark.position == progress.position:
            return False
        self._sender.stream(progress, mark, tables, self._clock.now_ms())
        self._unconfirmed = True
        return True

    def _materialize(self, mark: Mark) -> tuple[Mark, list[TableRows]] | None:
        """All that was touched since `mark`, whole. None: the schema has changed."""
        materializer, size = Materializer(self._tables), self._poll_size
        while True:
            poll = self._capture.poll(mark, size.start())
            if poll is None:
                return None
            size.stop(poll.mark.position - mark.position)
            materializer.add(poll)
            mark = poll.mark
            if poll.whole:
                return mark, materializer.tables()

    def _chunk(self, budget_rows: int) -> bool:
        """One slice of the first task; the stream goes ahead of it, up to the moment at which it was read."""
        progress, shape, task = self._begun, self._shape, self._begun.tasks[0]
        limit = min(budget_rows, self._chunk_size.start())
        part = self._bootstrap.read(task, self._tables[task.table], task.table in shape.ordered, limit)
        if part is None:
            self._dirty = True
            return True
        self._chunk_size.stop(limit if part.task else len(part.rows.rows))
        if part.read_at > progress.position:
            self._stream()
            if self._shape is not shape:
                return True  # the rows may have another shape now
        self._sender.chunk(progress, part, task.first)
        if part.task is None:
            del progress.tasks[0]
            self._finish(task)
        else:
            progress.tasks[0] = part.task
        self._save()
        return True

    def _finish(self, task: Task) -> None:
        progress = self._begun
        if task.first:
            progress.tables[task.table].bootstrapped = True
            progress.finished.append(task.table)
        elif task.keys is None and task.after is None and task.through is None:
            progress.tables[task.table].bootstrapped = True
            self._sender.done(progress, (task.table,), first=False)
        self._announce()

    def _announce(self) -> None:
        """The first bootstrap of a set of tables ends when the last of them is read."""
        progress = self._begun
        if progress.finished and not any(task.first for task in progress.tasks):
            self._sender.done(progress, tuple(progress.finished), first=True)
            progress.finished = []

    def _save(self) -> None:
        self._logged.save(self._begun)
        self._unconfirmed = True
