"""Asynchronous fields: computed functions that read rows by themselves, run in lock-step for a whole batch."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from argus.api import RowRef
from argus.compile import Compiled
from argus.context import Context, row_key, row_of
from argus.driver import CODE_ERRORS, drive
from argus.fetch import Fetched
from argus.lineage import OwnRead
from argus.reads import Noted
from argus.results import result_check
from argus.rows import RowStore
from proto.flows.model import Flows
from repo.api import Reads
from repo.system import collection_index


@dataclass(slots=True)
class Later:
    """What the asynchronous fields of one document gave: values in order, or the field that failed and why; what they
    have read, all together, and each row with its versions."""

    values: list[Any]
    reads: list[Noted]
    rows: list[OwnRead]
    field: str = ""
    error: BaseException | None = None

    def whole(self) -> list[Any]:
        """The values. Raises what a field raised."""
        if self.error is not None:
            raise self.error
        return self.values


class Asynchronous:
    """The asynchronous fields of one document type."""

    def __init__(self, flows: Flows, compiled: Compiled, rows: RowStore) -> None:
        self._flows, self._rows = flows, rows
        names = compiled.names[len(compiled.names) - len(compiled.asynchronous) :]
        self._fields = [
            (name, spec.function, arguments, result_check(spec, name))
            for name, (spec, arguments) in zip(names, compiled.asynchronous, strict=True)
        ]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._fields)

    def run(self, snapshot: Reads, keys: Sequence[bytes], fetched: Fetched) -> list[Later]:
        """One storage call a table and round for all documents. An exception ends its own document only."""
        contexts: list[Context] = []
        started: list[tuple[Later, str, Callable[[Any], Any]]] = []
        coroutines: list[Coroutine[Any, Any, Any]] = []
        results = [Later([], [], []) for _ in keys]
        for at, (key, later) in enumerate(zip(keys, results, strict=True)):
            if not fetched.exists[at]:
                continue
            source, slots = row_of("", key).source, [slot[at] for slot in fetched.slots]
            for name, function, arguments, check in self._fields:
                context = Context(self._flows, source)
                try:
                    coroutines.append(function(context, **arguments(*slots)))
                except CODE_ERRORS as error:  # a value that does not fit its column's type of today
                    later.field, later.error = name, error
                    continue
                contexts.append(context)
                started.append((later, name, check))
        ended = drive(coroutines, lambda asked: self._rows.gather(snapshot, contexts, asked))
        for (later, name, check), context, finished in zip(started, contexts, ended, strict=True):
            later.reads += self._noted(context)
            later.rows += _rows_read(name, context)
            try:
                if finished.error is not None:
                    raise finished.error
                later.values.append(check(finished.result))
            except CODE_ERRORS as error:
                later.field, later.error = name, error
        for later in results:
            later.reads = sorted(set(later.reads))
        return results

    def _noted(self, context: Context) -> list[Noted]:
        rows = [(row.table, row_key(row)) for row in context.reads]
        collections = [(self._index(parent, name), row_key(parent)) for parent, name in context.collections]
        return [*rows, *collections]

    def _index(self, parent: RowRef, name: str) -> str:
        return collection_index(self._flows.tables[parent.table].collections[name])


def _rows_read(field: str, context: Context) -> list[OwnRead]:
    """In an order that does not change from build to build."""
    return sorted(OwnRead(field, row.table, row_key(row), versions) for row, versions in context.versions.items())
