"""Handlers run in a dry run: for rows that documents read, in the order in which one's writes wake the next; what they
write is laid over the snapshot."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from argus.api import Change, HandlerSpec
from argus.context import Context, row_key, row_of, whole
from argus.driver import drive
from argus.registry import Application
from argus.rows import Readers, RowStore
from batch.devrun.messages import Called, Written
from batch.devrun.overlay import Overlay
from batch.devrun.timed import Timed
from batch.devrun.troubles import trouble_of
from proto.record import encode
from repo.rows import changed_record


class Calls:
    """The handlers of one application. Each runs once for a row."""

    def __init__(
        self,
        application: Application,
        readers: Readers,
        rows: RowStore,
        overlay: Overlay,
        clock_ns: Callable[[], int],
    ) -> None:
        self._flows, self._readers, self._rows = application.flows, readers, rows
        self._overlay, self._clock_ns = overlay, clock_ns
        self._handlers = in_order(application)
        self._done: set[tuple[str, str, bytes]] = set()

    def __bool__(self) -> bool:
        """Whether there are any handlers."""
        return bool(self._handlers)

    def run(self, rows: Mapping[str, Iterable[bytes]]) -> Iterator[Called]:
        """rows: table -> keys. What a handler writes is among the rows of those that come after it."""
        known = {table: dict.fromkeys(keys) for table, keys in rows.items()}
        for name, spec in self._handlers.items():
            for table in _observed(spec):
                for key in list(known.get(table, ())):
                    if (name, table, key) not in self._done:
                        self._done.add((name, table, key))
                        called = self._call(name, spec, table, key)
                        for one in called.writes:
                            known.setdefault(one.table, {})[one.key] = None
                        yield called

    def _call(self, name: str, spec: HandlerSpec, table: str, key: bytes) -> Called:
        row = row_of(table, key)
        context = Context(self._flows, row.source, name)
        timed = Timed(spec.function(context, Change(row, frozenset())), self._clock_ns)  # type: ignore[arg-type]
        (finished,) = drive([timed], lambda asked: self._rows.gather(self._overlay, [context], asked))
        if finished.error is not None:
            return Called(name, table, key, [], timed.elapsed_ns, trouble_of(finished.error))
        return Called(name, table, key, self._written(name, context), timed.elapsed_ns)

    def _written(self, name: str, context: Context) -> list[Written]:
        written = []
        for row, values in context.writes.items():
            key, group, known = row_key(row), f"@{name}", self._flows.tables[row.table]
            reader = self._readers[row.table, group]
            (stored,) = self._overlay.read(row.table, group, [key])
            record = changed_record(reader, stored, None if values is None else whole(known, row, values, name), name)
            if record is not None:
                self._overlay.put(row.table, group, key, encode(record))
            written.append(Written(row.table, key, values))
        return written


def in_order(application: Application) -> dict[str, HandlerSpec]:
    """Those that write what others observe come first. (The registry has refused circles.)"""
    columns = {
        (table.name, column.name): column.writer
        for table in application.flows.tables.values()
        for column in table.columns.values()
        if column.writer
    }
    ordered: dict[str, HandlerSpec] = {}

    def add(name: str) -> None:
        if name in ordered:
            return
        for text in application.handlers[name].observes:
            table, _, column = text.partition(".")
            for writer in {by for (where, what), by in columns.items() if where == table and column in ("", what)}:
                if writer != name:
                    add(writer)
        ordered[name] = application.handlers[name]

    for name in application.handlers:
        add(name)
    return ordered


def _observed(spec: HandlerSpec) -> list[str]:
    return list(dict.fromkeys(text.partition(".")[0] for text in spec.observes))
