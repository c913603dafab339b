"""Lock-free bootstrap: a table is read by chunks beside the stream, and the log wins.

A chunk and its position p come from one short read transaction. The stream is sent up to p before the chunk, and the
chunk is applied after it, with version p: what was changed later has a higher version and is not touched. A chunk with
a *span* also tells what is gone. For that the source must deliver keys in the order of their encodings; where it does
not (NOCASE, decimals, dates), all keys are collected and sorted first, and the chunks have the version of the moment
before the collecting.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from gateway.capture.port import Capture, CapturedTable, Key
from gateway.progress import Task
from proto.codec import encode_key, source_prefix, successor
from proto.errors import InvalidMessageError
from proto.events import TableRows
from proto.values import coerce


@dataclass(frozen=True, slots=True)
class Slice:
    """One chunk, ready to be sent. rows: as of `read_at`; version: the position that they are applied with; task: what
    is left to do after it, None when it was the last."""

    rows: TableRows
    version: int
    read_at: int
    span: tuple[bytes, bytes] | None
    task: Task | None


@dataclass(slots=True)
class _Sorted:
    """Keys in the order of their encodings, as they were at `position`."""

    position: int
    keys: list[tuple[bytes, Key]] = field(default_factory=list)
    cursor: Key | None = None
    complete: bool = False


class Bootstrap:
    """Reads the next slice of a task. Keeps nothing but sorted keys, which a new process collects again."""

    def __init__(self, source: str, capture: Capture) -> None:
        self._source, self._capture = source, capture
        self._sorted: dict[str, _Sorted] = {}

    def forget(self) -> None:
        """The schema has changed: what was collected may be wrong."""
        self._sorted.clear()

    def read(self, task: Task, table: CapturedTable, ordered: bool, limit: int) -> Slice | None:
        """None: the schema has changed. `task` itself is not touched."""
        if task.keys is not None:
            return self._read_named(task, table, limit)
        if task.gone and not ordered and task.after is None and task.through is None:
            return self._read_sorted(task, table, limit)
        return self._read_page(task, table, ordered, limit)

    def _read_named(self, task: Task, table: CapturedTable, limit: int) -> Slice | None:
        keys = list(task.keys or ())
        now, later = keys[:limit], keys[limit:]
        chunk = self._capture.rows(table.name, now)
        if chunk is None:
            return None
        places = table.key_places
        found = {tuple([row[place] for place in places]) for row in chunk.rows}
        rows = TableRows(table.name, table.columns, chunk.rows, [key for key in now if tuple(key) not in found])
        left = Task(table.name, task.first, task.gone, keys=later) if later else None
        return Slice(rows, chunk.position, chunk.position, None, left)

    def _read_page(self, task: Task, table: CapturedTable, ordered: bool, limit: int) -> Slice | None:
        chunk = self._capture.chunk(table.name, task.cursor or task.after, limit, task.through)
        if chunk is None:
            return None
        begin = task.bound or self._bound(table, task.after, source_prefix(self._source))
        end = begin
        if chunk.last is None:
            end = self._bound(table, task.through, self._end())
        else:
            keys = [self._encoded(table, row) for row in chunk.rows[-1:-16:-1]]
            end = next((key for key in keys if key is not None), begin)  # a key that can't be encoded bounds nothing
        left = None
        if chunk.last is not None:
            left = Task(table.name, task.first, task.gone, task.after, task.through, None, chunk.last, end)
        span = (begin, end) if task.gone and ordered and end > begin else None
        return Slice(TableRows(table.name, table.columns, chunk.rows), chunk.position, chunk.position, span, left)

    def _read_sorted(self, task: Task, table: CapturedTable, limit: int) -> Slice | None:
        kept = self._sorted.get(table.name)
        if kept is None or not kept.complete:
            return self._collect(task, table, limit)
        begin = task.bound or source_prefix(self._source)
        place = bisect_right(kept.keys, task.bound, key=itemgetter(0)) if task.bound else 0
        now = kept.keys[place : place + limit]
        chunk = self._capture.rows(table.name, [key for _, key in now])
        if chunk is None:
            return None
        last = place + limit >= len(kept.keys)
        end = self._end() if last else now[-1][0]
        if last:
            del self._sorted[table.name]
        left = None if last else Task(table.name, task.first, task.gone, bound=end)
        span = (begin, end)
        return Slice(TableRows(table.name, table.columns, chunk.rows), kept.position, chunk.position, span, left)

    def _collect(self, task: Task, table: CapturedTable, limit: int) -> Slice | None:
        """A slice without rows: keys were collected."""
        kept = self._sorted.get(table.name)
        chunk = self._capture.chunk(table.name, kept.cursor if kept else None, limit)
        if chunk is None:
            return None
        if kept is None:
            kept = self._sorted[table.name] = _Sorted(chunk.position)
        places, nothing = table.key_places, source_prefix(self._source)
        for row in chunk.rows:
            kept.keys.append((self._encoded(table, row) or nothing, tuple([row[place] for place in places])))
        kept.cursor, kept.complete = chunk.last, chunk.last is None
        if kept.complete:
            kept.keys.sort(key=lambda pair: pair[0])
        left = Task(table.name, task.first, task.gone, bound=task.bound)
        return Slice(TableRows(table.name, table.columns, []), kept.position, chunk.position, None, left)

    def _encoded(self, table: CapturedTable, row: Sequence[Any]) -> bytes | None:
        """The row's key as the Repo has it; None when its values don't fit their types (the updater says so)."""
        try:
            values = [coerce(table.types[place], row[place]) for place in table.key_places]
            return encode_key((self._source, *values))
        except InvalidMessageError:
            return None

    def _bound(self, table: CapturedTable, key: Key | None, otherwise: bytes) -> bytes:
        if key is None:
            return otherwise
        types = [table.types[place] for place in table.key_places]
        return encode_key((self._source, *[coerce(kind, value) for kind, value in zip(types, key, strict=True)]))

    def _end(self) -> bytes:
        return successor(source_prefix(self._source)) or b"\xff"
