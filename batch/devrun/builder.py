"""Builds documents without writing them: each field for itself, timed, its error kept; by the same plan and the same
functions as the real builds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from argus.api import FieldSpec
from argus.compile import Compiled, compile_document
from argus.context import Context, row_of
from argus.driver import CODE_ERRORS, drive
from argus.fetch import Fetch, Fetched
from argus.registry import Application
from argus.results import result_check
from argus.rows import RowStore, readers_of
from batch.devrun.calls import Calls
from batch.devrun.facts import facts_of
from batch.devrun.inputs import shown_inputs
from batch.devrun.messages import Built, Called, CodeFacts, Explained
from batch.devrun.overlay import Overlay
from batch.devrun.signals import add_signals
from batch.devrun.timed import Timed
from batch.devrun.troubles import trouble_of
from proto.values import from_python
from repo.api import Reads
from repo.rows import SchemaNames


@dataclass(frozen=True, slots=True)
class _Field:
    """spec None: a copy. check: what the function returned -> the stored form."""

    name: str
    spec: FieldSpec | None
    check: Callable[[Any], Any]
    sensitive: bool


@dataclass(frozen=True, slots=True)
class _Type:
    compiled: Compiled
    fetch: Fetch
    fields: Sequence[_Field]


class DryBuilder:
    """One version of the code over one snapshot. clock_ns: a monotonic clock."""

    def __init__(
        self,
        application: Application,
        reads: Reads,
        schemas: SchemaNames,
        clock_ns: Callable[[], int],
        files: Sequence[str] = (),
    ) -> None:
        flows = application.flows
        self._application, self._clock_ns = application, clock_ns
        self._overlay = Overlay(reads)
        self._readers = readers_of(flows, schemas)
        self._rows = RowStore(flows, self._readers)
        self._calls = Calls(application, self._readers, self._rows, self._overlay, clock_ns)
        compiled = [compile_document(application, document) for document in flows.documents.values()]
        self.facts: CodeFacts = facts_of(application, compiled, files)
        self._types = {one.document.name: self._type(one) for one in compiled}

    def build(self, document_type: str, keys: Sequence[bytes]) -> Iterator[Built | Called]:
        """First the handlers that these documents' rows call for, then the documents, in the order of `keys`."""
        kind = self._types[document_type]
        if self._calls:
            self._overlay.seen = {}
            kind.fetch.rows(self._overlay, keys)
            seen, self._overlay.seen = self._overlay.seen, None
            yield from self._calls.run(seen)
        fetched = self._fetched(kind, keys)
        for at, key in enumerate(keys):
            yield self._built(kind, key, fetched, at)

    def call(self, table: str, keys: Sequence[bytes]) -> Iterator[Called]:
        """The handlers that observe the table, for these rows."""
        yield from self._calls.run({table: keys})

    def explain(self, document_type: str, key: bytes) -> Explained:
        """Builds one document and shows what each field got."""
        built = next(one for one in list(self.build(document_type, [key])) if isinstance(one, Built))
        kind = self._types[document_type]
        if not built.exists:
            return Explained(built, [])
        slots = [slot[0] for slot in self._fetched(kind, [key]).slots]
        return Explained(built, shown_inputs(self._application, kind.compiled, slots, built.values))

    def _type(self, compiled: Compiled) -> _Type:
        facts = next(one for one in self.facts.types if one.name == compiled.document.name)
        fields = []
        for field in facts.fields:
            spec = self._application.fields.get((facts.name, field.name))
            check = from_python if spec is None else result_check(spec, field.name)
            fields.append(_Field(field.name, spec, check, field.sensitive))
        return _Type(compiled, Fetch(compiled.plan, self._readers), fields)

    def _fetched(self, kind: _Type, keys: Sequence[bytes]) -> Fetched:
        fetched, compiled = kind.fetch.rows(self._overlay, keys), kind.compiled
        add_signals(self._overlay, compiled.document.name, compiled.plan.signals, keys, fetched)
        return fetched

    def _built(self, kind: _Type, key: bytes, fetched: Fetched, at: int) -> Built:
        built = Built(kind.compiled.document.name, key)
        if not fetched.exists[at]:
            built.exists = False
            return built
        slots = [slot[at] for slot in fetched.slots]
        built.missing = list(fetched.missing[at] or ())
        built.servable = kind.compiled.servable(*slots)
        for number, field in enumerate(kind.fields):
            value, elapsed = None, 0
            try:
                if field.spec is None:
                    value = kind.compiled.parts[field.name](*slots)
                else:
                    arguments = kind.compiled.arguments[field.name](*slots)
                    value, elapsed = self._computed(field.spec, key, arguments)
                    value = field.check(value)
            except CODE_ERRORS as error:  # whatever an author wrote ends this field only
                value = None
                built.troubles[number] = trouble_of(error, field.sensitive)
            built.values.append(value)
            built.times_ns.append(elapsed)
        return built

    def _computed(self, spec: FieldSpec, key: bytes, arguments: dict[str, Any]) -> tuple[Any, int]:
        """(result, how long the function itself took)."""
        if not spec.asynchronous:
            started = self._clock_ns()
            value = spec.function(**arguments)
            return value, self._clock_ns() - started
        context = Context(self._application.flows, row_of("", key).source)
        timed = Timed(spec.function(context, **arguments), self._clock_ns)
        (finished,) = drive([timed], lambda asked: self._rows.gather(self._overlay, [context], asked))
        if finished.error is not None:
            raise finished.error
        return finished.result, timed.elapsed_ns
