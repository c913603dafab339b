"""The test kit for handler authors: rows in; fields, reads, writes and publications out; no server, no files, no time.

A field or a handler is a function; called like one, it needs nothing of this. With rows around it:

    env = HandlerEnvironment(load("flows.toml"), fields_module)
    env.put("campaigns", id=7, daily_budget_micros=5_000_000)
    assert env.run(pace_campaign, "campaigns", 7).writes == {("campaigns", (7,)): {"pace": 1.0}}
    env.put("ads", id=1, campaign_id=7, bid_micros=100)
    assert env.document("ad", 1).fields["effective_bid"] == 90

What would readers get of an edit, handlers included?

    env.put("campaigns", id=7, daily_budget_micros=0)
    assert [(one.key, one.changed) for one in env.publish()] == [((1,), {"pace", "daily_budget_micros"})]

A signal says what the test says:

    env = HandlerEnvironment(flows, fields_module, signals={"performance": {501: {"clicks": 3}}})

A real document, from `adsindex fixture ad/4711 -o ad_4711.json`:

    env = HandlerEnvironment(flows, fields_module).fixture(Path("ad_4711.json").read_text())
    assert env.document("ad", 4711).fields["effective_bid"] == 90

A failure, pasted from `adsindex dead-letters show SUBJECT --json`, fails here as it failed there:

    with pytest.raises(ZeroDivisionError):
        HandlerEnvironment(flows, fields_module).replay(LETTER)
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from argus.api import Change, HandlerSpec, Reading, RowRef
from argus.compile import Compiled, compile_document
from argus.context import Context, row_key, whole
from argus.driver import drive
from argus.fetch import Fetch
from argus.fixture import Fixture, from_json, stored_rows
from argus.letter import letter_of
from argus.memory_rows import MemoryRows, MemorySnapshot
from argus.registry import Application, register
from argus.results import result_check
from argus.rows import RowStore
from argus.signals.answers import answer_of
from argus.wakes import Wakes
from proto.codec import encode_key
from proto.errors import InvalidMessageError, ValueTypeError
from proto.flows.model import Column, Flows, Signal
from proto.flows.paths import nearest
from proto.values import coerce, to_python

Address = tuple[str, tuple[Any, ...]]
"""(table, key values), as a test writes it."""


@dataclass(frozen=True, slots=True)
class BuiltDocument:
    """A document as it would be published. fields: in stored form, as the command line prints them."""

    fields: dict[str, Any]
    servable: bool
    missing: tuple[str, ...]
    reads: frozenset[Address]


@dataclass(frozen=True, slots=True)
class HandlerRun:
    """What a handler did. writes: address -> column -> value; None: it deleted its columns of that row."""

    writes: dict[Address, dict[str, Any] | None]
    reads: frozenset[Address]


@dataclass(frozen=True, slots=True)
class Publication:
    """A document that readers would get. fields: in stored form; None: it was deleted. changed: fields that are other
    than when it was published the last time."""

    document: str
    key: tuple[Any, ...]
    fields: dict[str, Any] | None
    servable: bool
    changed: frozenset[str]


class HandlerEnvironment:
    """A world of a few rows in which fields and handlers run as they do in production: same plan, same compiled
    code. signals: what they say, name -> key -> field -> value; about other keys nothing is known."""

    def __init__(
        self,
        flows: Flows,
        *modules: ModuleType,
        source: str = "main",
        signals: Mapping[str, Mapping[Any, Mapping[str, Any]]] | None = None,
    ) -> None:
        self._application: Application = register(flows, modules)
        self._flows, self._source = self._application.flows, source
        self._rows = MemoryRows(self._flows)
        self._compiled: dict[str, Compiled] = {}
        self._signals = self._checked(signals or {})
        self._wakes = Wakes(self._application)
        self._published: dict[tuple[str, tuple[Any, ...]], BuiltDocument] = {}

    def put(self, table: str, **values: Any) -> "HandlerEnvironment":
        """Adds or replaces a row; values as the database would give them; columns left out are NULL."""
        known = self._flows.tables.get(table)
        if known is None:
            raise InvalidMessageError(f"there is no table {table!r}: {nearest(table, list(self._flows.tables))}")
        for name in values:
            if name not in known.columns:
                raise InvalidMessageError(
                    f"table {table!r} has no column {name!r}: {nearest(name, list(known.columns))}"
                )
        row = {name: self._coerced(table, column, values.get(name)) for name, column in known.columns.items()}
        self._put(table, row)
        return self

    def delete(self, table: str, *key: Any) -> "HandlerEnvironment":
        """Removes a row."""
        encoded = row_key(Context(self._flows, self._source).row(table, *key))
        before = self._rows.row(table, encoded)
        self._rows.remove(table, encoded)
        self._wakes.note(table, encoded, before, None)
        return self

    def fixture(self, text: str | bytes | Mapping[str, Any]) -> "HandlerEnvironment":
        """Adds the rows, and what signals said, of a fixture: JSON, as `adsindex fixture` writes it."""
        self._add(from_json(text))
        return self

    def _add(self, fixture: Fixture) -> None:
        for table, row in stored_rows(self._flows, fixture):
            self._put(table.name, row)
        for name, said in fixture.signals.items():
            checked = self._checked({name: {one.key: one.values for one in said}})
            self._signals.setdefault(name, {}).update(checked.get(name, {}))

    def document(self, document_type: str, *key: Any) -> BuiltDocument:
        """Builds one document. An exception of a field's function comes out as it is."""
        compiled = self._compiled.get(document_type)
        if compiled is None:
            document = self._flows.documents.get(document_type)
            if document is None:
                hint = nearest(document_type, list(self._flows.documents))
                raise InvalidMessageError(f"there is no document type {document_type!r}: {hint}")
            compiled = self._compiled[document_type] = compile_document(self._application, document)
        context = Context(self._flows, self._source)
        root = context.row(compiled.document.root, *key)
        snapshot = self._rows.snapshot()
        fetched = Fetch(compiled.plan, self._rows.readers).rows(snapshot, [row_key(root)])
        if not fetched.exists[0]:
            raise InvalidMessageError(f"no row {compiled.document.root}/{key}: put it first")
        slots = [slot[0] for slot in fetched.slots]
        slots += [self._said(one.signal, slots[one.slot.number][one.at]) for one in compiled.plan.signals]
        values, servable = compiled.compute(*slots)
        for spec, arguments in compiled.asynchronous:
            value = self._drive(snapshot, context, spec.function(context, **arguments(*slots)))
            values = (*values, result_check(spec, spec.name)(value))
        fields = dict(zip(compiled.names, values, strict=True))
        return BuiltDocument(fields, servable, tuple(fetched.missing[0] or ()), _addresses(context.reads))

    def run(
        self,
        handler: Callable[..., Awaitable[None]],
        table: str,
        *key: Any,
        columns: Sequence[str] = (),
        left: Sequence[Address] = (),
    ) -> HandlerRun:
        """Calls a handler for one changed row and applies what it wrote. left: rows that the changed one has left."""
        spec: HandlerSpec | None = getattr(handler, "__adsindex__", None)
        writer = next((name for name, known in self._application.handlers.items() if known is spec), "")
        if spec is None or not writer:
            name = getattr(handler, "__name__", repr(handler))
            raise InvalidMessageError(
                f"{name} is not a handler of these flows: mark it with @handler, give it a column"
            )
        context = Context(self._flows, self._source)
        gone = frozenset(context.row(name, *values) for name, values in left)
        return self._call(writer, Change(context.row(table, *key), frozenset(columns), gone))

    def publish(self) -> list[Publication]:
        """What readers would get of all changes since the last call: the handlers that these wake run, until nothing
        changes any more; then documents are built, and those that differ from what was published are here, in order of
        type and key."""
        while calls := self._wakes.take():
            for writer, change in calls:
                self._call(writer, change)
        built = {
            (name, key): self.document(name, *key)
            for name, document in self._flows.documents.items()
            for key in self._rows.keys(document.root)
        }
        before, self._published = self._published, built
        changed = [at for at in {**before, **built} if _content(before.get(at)) != _content(built.get(at))]
        return [_publication(*at, before.get(at), built.get(at)) for at in sorted(changed, key=repr)]

    def replay(self, letter: str | bytes | Mapping[str, Any]) -> BuiltDocument | HandlerRun | None:
        """Tries again what a dead letter tells of: the JSON of `adsindex dead-letters show SUBJECT --json`. Raises what
        failed; what no longer fails gives its result (None for a row that can be stored)."""
        found = letter_of(letter)
        if found.stage not in ("build", "handle"):
            for part in found.raw_rows():
                known = self._flows.tables[part.table].columns
                for row in part.rows:
                    pairs = zip(part.columns, row, strict=True)
                    self.put(part.table, **{name: value for name, value in pairs if name in known})
            return None
        fixture = found.rows_around()
        self._add(fixture)
        if found.stage == "build":
            return self.document(fixture.document, *fixture.key)
        row = Context(self._flows, self._source).row(fixture.table, *fixture.key)
        return self._call(fixture.handler, Change(row, frozenset()))

    def _coerced(self, table: str, column: Column, value: Any) -> Any:
        try:
            return coerce(column.type, value)
        except ValueTypeError as error:
            raise ValueTypeError(f"column {table}.{column.name}: {error}") from None

    def _put(self, table: str, row: dict[str, Any]) -> None:
        """row: every column, in stored form."""
        key = encode_key((self._source, *(row[name] for name in self._flows.tables[table].key)))
        before = self._rows.row(table, key)
        self._rows.put(table, key, row)
        self._wakes.note(table, key, before, row)

    def _call(self, writer: str, change: Change) -> HandlerRun:
        context = Context(self._flows, self._source, writer)
        self._drive(self._rows.snapshot(), context, self._application.handlers[writer].function(context, change))
        for written, values in context.writes.items():
            stored = None if values is None else whole(self._flows.tables[written.table], written, values, writer)
            key = row_key(written)
            before = self._rows.row(written.table, key)
            self._rows.merge(written.table, key, stored, writer)
            self._wakes.note(written.table, key, before, self._rows.row(written.table, key))
        return HandlerRun(
            {_address(row): self._shown(row, values) for row, values in context.writes.items()},
            _addresses(context.reads),
        )

    def _checked(
        self, signals: Mapping[str, Mapping[Any, Mapping[str, Any]]]
    ) -> dict[str, dict[Any, tuple[Any, ...] | None]]:
        """As answers of their fetchers would be."""
        known = self._flows.signals
        checked: dict[str, dict[Any, tuple[Any, ...] | None]] = {}
        for name, said in signals.items():
            if name not in known:
                raise InvalidMessageError(f"there is no signal {name!r}: {nearest(name, list(known)) if known else ''}")
            for key, values in said.items():
                for field in values:
                    if field not in known[name].fields:
                        hint = nearest(field, list(known[name].fields))
                        raise InvalidMessageError(f"signal {name!r} has no field {field!r}: {hint}")
                checked.setdefault(name, {})[key] = answer_of(known[name], Reading(values, 1)).values
        return checked

    def _said(self, signal: Signal, key: Any) -> tuple[Any, ...]:
        return self._signals.get(signal.name, {}).get(key) or (None,) * len(signal.fields)

    def _drive(self, snapshot: MemorySnapshot, context: Context, coroutine: Any) -> Any:
        store = RowStore(self._flows, self._rows.readers)
        (finished,) = drive([coroutine], lambda asked: store.gather(snapshot, [context], asked))
        if finished.error is not None:
            raise finished.error
        return finished.result

    def _shown(self, row: RowRef, values: dict[str, Any] | None) -> dict[str, Any] | None:
        columns = self._flows.tables[row.table].columns
        return (
            None if values is None else {name: to_python(columns[name].type, value) for name, value in values.items()}
        )


def _address(row: RowRef) -> Address:
    return row.table, row.key


def _addresses(rows: set[RowRef]) -> frozenset[Address]:
    return frozenset(_address(row) for row in rows)


def _content(built: BuiltDocument | None) -> tuple[Any, ...] | None:
    return None if built is None else (built.fields, built.servable, built.missing)


def _publication(
    document: str, key: tuple[Any, ...], before: BuiltDocument | None, now: BuiltDocument | None
) -> Publication:
    old, new = (built.fields if built is not None else {} for built in (before, now))
    changed = frozenset(name for name in {**old, **new} if name not in old or name not in new or old[name] != new[name])
    return Publication(document, key, None if now is None else new, now is not None and now.servable, changed)
