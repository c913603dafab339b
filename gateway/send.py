"""Units as they go to the log: lane, order between lanes, cutting, encoding."""

from collections.abc import Mapping
from typing import Any

from gateway.bootstrap import Slice
from gateway.capture.port import Mark
from gateway.materialize import cut
from gateway.progress import Progress, ProgressLog
from gateway.route import unit_lane, waits_for
from gateway.shortcuts import Shortcuts
from proto.events import TableRows, Unit, UnitKind, encode
from proto.lane import Lane
from proto.ports.clock import Clock


class Sender:
    """Appends units of one source and keeps its progress in step. units_cut: units that were above unit_rows_max."""

    def __init__(
        self, source: str, logged: ProgressLog, shortcuts: Shortcuts, lanes: Mapping[str, Lane], unit_rows_max: int,
        clock: Clock,
    ) -> None:  # fmt: skip
        self.units_cut = 0
        self._source, self._logged, self._shortcuts, self._lanes = source, logged, shortcuts, lanes
        self._unit_rows_max, self._clock = unit_rows_max, clock

    def stream(self, progress: Progress, mark: Mark, tables: list[TableRows], capture_ms: float) -> None:
        """Everything committed in (progress.position, mark.position]. When no captured table is in it (theirs is
        parked), only the progress is kept, for those who wait for that position."""
        begin = progress.position
        progress.position, progress.at_ms = mark.position, mark.at_ms
        if not tables:
            self._logged.save(progress)
            return
        lane = unit_lane([table.table for table in tables], self._lanes)
        times = {"commit_ms": float(mark.at_ms), "capture_ms": capture_ms}
        parts = [tables] if _rows(tables) <= self._unit_rows_max else list(cut(tables, self._unit_rows_max))
        self.units_cut += len(parts) > 1
        self._append(progress, "stream", lane, parts, begin=begin, position=mark.position, **times)
        progress.sent[lane] = mark.position
        self._shortcuts.send(tables, (progress.incarnation, mark.position), float(mark.at_ms), capture_ms)

    def chunk(self, progress: Progress, part: Slice, first: bool) -> None:
        """Rows of a bootstrap or a comparison. An empty one is sent when it says that something may be gone."""
        if not (part.rows.rows or part.rows.deleted or part.span):
            return
        now_ms = self._clock.now_ms()
        self._append(
            progress, "chunk", Lane.LOW, [[part.rows]],
            begin=part.version, position=part.version, first=first, span=part.span, capture_ms=now_ms,
        )  # fmt: skip
        self._shortcuts.send([part.rows], (progress.incarnation, part.version), 0.0, now_ms)

    def done(self, progress: Progress, names: tuple[str, ...], first: bool) -> None:
        """The named tables are read, whole; everything that was sent up to here is to be applied before."""
        columns = tuple([progress.tables[name].columns for name in names])
        self._append(progress, "done", Lane.LOW, [[]], names=names, columns=columns, first=first)

    def parked(self, progress: Progress, name: str, reason: str) -> None:
        """The table can't be captured; `reason` says why and what to do."""
        self._append(progress, "parked", Lane.HIGH, [[]], names=(name,), reason=reason)

    def unparked(self, progress: Progress, names: tuple[str, ...]) -> None:
        """The tables can be captured again; their chunks follow."""
        self._append(progress, "unparked", Lane.HIGH, [[]], names=names)

    def _append(
        self,
        progress: Progress,
        kind: UnitKind,
        lane: Lane,
        parts: list[list[TableRows]],
        **fields: Any,
    ) -> None:
        common = {
            "begin": progress.position, "position": progress.position,
            "waits_for": waits_for(lane, progress.sent), "parts": len(parts), **fields,
        }  # fmt: skip
        messages = []
        for number, tables in enumerate(parts):
            unit = Unit(self._source, kind, progress.incarnation, lane=int(lane), tables=tables, part=number, **common)
            messages.append(encode(unit))
        self._logged.append(lane, messages)


def _rows(tables: list[TableRows]) -> int:
    return sum([len(table.rows) + len(table.deleted) for table in tables])
