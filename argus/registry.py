"""Brings a flows file and the functions that it names together: the one visible place of registration."""

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from inspect import iscoroutinefunction, signature
from types import ModuleType

import xxhash

from argus.api import FieldSpec, HandlerSpec
from argus.signals.functions import fetcher_functions
from argus.signals.port import Fetcher
from proto.errors import FlowsError
from proto.flows.model import Field, Flows, Location
from proto.flows.paths import nearest, resolve
from proto.flows.problems import raise_together

Spec = FieldSpec | HandlerSpec


@dataclass(frozen=True, slots=True)
class Application:
    """Flows with everything resolved. generation: hash of the flows and of all versions of functions; workers that
    disagree don't mix.

    fields     (document type, field name) -> computed field
    handlers   by the name that the flows file uses (which is also what `Column.writer` says)
    fetchers   of signals, those that are functions
    """

    flows: Flows
    fields: Mapping[tuple[str, str], FieldSpec]
    handlers: Mapping[str, HandlerSpec]
    generation: int
    fetchers: Mapping[str, Fetcher]

    def modules(self) -> set[str]:
        """Names of those that its fields and handlers come from."""
        specs: list[Spec] = [*self.fields.values(), *self.handlers.values()]
        return {spec.function.__module__ for spec in specs}


def specs_of(modules: Iterable[ModuleType]) -> dict[str, Spec]:
    """Every decorated function of the modules, by its name and by `module:name`."""
    found: dict[str, Spec] = {}
    for module in modules:
        for name, value in vars(module).items():
            spec = getattr(value, "__adsindex__", None)
            if spec is None or value.__module__ != module.__name__:
                continue
            if name in found:
                other = found[name].function.__module__
                message = f"two functions are named {name!r}, in {other} and in {module.__name__}"
                hint = f'rename one of them; a field may have another name: {name} = {{ handler = "NEW_NAME" }}'
                raise FlowsError(message, file=str(module.__file__), hint=hint)
            found[name] = found[f"{module.__name__}:{name}"] = spec
    return found


def register(flows: Flows, modules: Sequence[ModuleType] = ()) -> Application:
    """Resolves every handler that the flows name, adds fields that name their document themselves, checks inputs and
    observed columns.

    Raises FlowsError with the line of the flows file, all mistakes together.
    """
    known = specs_of(modules)
    flows = _with_own_fields(flows, known)
    problems: list[FlowsError] = []
    fields = {}
    for document in flows.documents.values():
        for field in document.fields.values():
            if field.handler:
                with _noted(problems):
                    fields[document.name, field.name] = _field_spec(flows, document.root, field, known)
    handlers = _handlers(flows, known, problems)
    raise_together(problems)
    _refuse_cycles(flows, handlers)
    return Application(flows, fields, handlers, _generation(flows, fields, handlers), fetcher_functions(flows, modules))


@contextmanager
def _noted(problems: list[FlowsError]) -> Iterator[None]:
    """A mistake ends what it was found in, and is told with the others."""
    try:
        yield
    except FlowsError as error:
        problems.append(error)


def _with_own_fields(flows: Flows, known: Mapping[str, Spec]) -> Flows:
    """Adds computed fields declared by `@field(document=...)` alone."""
    documents = dict(flows.documents)
    for name, spec in known.items():
        if ":" in name or not isinstance(spec, FieldSpec) or not spec.document:
            continue
        document = documents.get(spec.document)
        if document is None:
            hint = nearest(spec.document, list(documents))
            raise FlowsError(f"@field {name!r} names document {spec.document!r}", file=flows.file, hint=hint)
        if name not in document.fields:
            added = Field(name=name, handler=name, at=Location(spec.function.__code__.co_filename))
            documents[document.name] = replace(document, fields={**document.fields, name: added})
    return replace(flows, documents=documents)


def _find(reference: str, known: Mapping[str, Spec], at: Location) -> Spec:
    if reference in known:
        return known[reference]
    module_name, _, function_name = reference.partition(":")
    if not function_name:
        hint = f"write module:function, or pass the file with --handlers; {nearest(reference, list(known))}"
        raise FlowsError(f"handler {reference!r} is not known", file=at.file, line=at.line, hint=hint)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        hint = "is the module on the path, or should its file be passed with --handlers?"
        raise FlowsError(f"handler {reference!r}: {error}", file=at.file, line=at.line, hint=hint) from error
    spec: Spec | None = getattr(getattr(module, function_name, None), "__adsindex__", None)
    if spec is None:
        hint = nearest(function_name, [name for name in specs_of([module]) if ":" not in name])
        message = f"handler {reference!r}: {module_name} has no function of that name with @field or @handler"
        raise FlowsError(message, file=at.file, line=at.line, hint=hint)
    return spec


def _field_spec(flows: Flows, root: str, field: Field, known: Mapping[str, Spec]) -> FieldSpec:
    spec = _find(field.handler, known, field.at)
    if not isinstance(spec, FieldSpec):
        hint = "a field's function is marked with @field(inputs=..., version=...)"
        raise FlowsError(f"{field.handler!r} is not a @field", file=field.at.file, line=field.at.line, hint=hint)
    problems: list[FlowsError] = []
    for parameter, path in spec.inputs.items():
        try:
            resolve(flows, root, path)
        except FlowsError as error:
            message = f"field {field.name!r}, input {parameter!r}: {error}"
            problems.append(FlowsError(message, file=field.at.file, line=field.at.line))
    raise_together(problems)
    _check_parameters(field, spec)
    return spec


def _check_parameters(field: Field, spec: FieldSpec) -> None:
    """The function can be called with its inputs, by name; an asynchronous one with `ctx` before them."""
    accepted = signature(spec.function)
    try:
        accepted.bind(*(["ctx"] if spec.asynchronous else []), **spec.inputs)
    except TypeError as error:
        hint = f"its inputs are {', '.join(spec.inputs) or 'none'}, the function takes {accepted}"
        message = f"field {field.name!r}: {error} when {spec.name} is called with its inputs"
        raise FlowsError(message, file=field.at.file, line=field.at.line, hint=hint) from None


def _check_handler_function(reference: str, spec: HandlerSpec, at: Location) -> None:
    """`async def NAME(ctx, change)`."""
    hint = f"write: async def {spec.name}(ctx: HandlerContext, change: Change) -> None"
    try:
        signature(spec.function).bind("ctx", "change")
    except TypeError as error:
        raise FlowsError(f"handler {reference!r}: {error}", file=at.file, line=at.line, hint=hint) from None
    if not iscoroutinefunction(spec.function):
        message = f"handler {reference!r} is not an async function"
        raise FlowsError(message, file=at.file, line=at.line, hint=hint)


def _handlers(flows: Flows, known: Mapping[str, Spec], problems: list[FlowsError]) -> dict[str, HandlerSpec]:
    named = {
        column.writer: table.at for table in flows.tables.values() for column in table.columns.values() if column.writer
    }
    handlers: dict[str, HandlerSpec] = {}
    for reference, at in named.items():
        with _noted(problems):
            spec = handlers[reference] = _handler_spec(reference, known, handlers, at)
            for observed in spec.observes:
                with _noted(problems):
                    _check_observed(flows, reference, observed, at)
    used = {_place(spec) for spec in handlers.values()}
    for name, other in known.items():
        if isinstance(other, HandlerSpec) and ":" not in name and _place(other) not in used and name not in named:
            hint = f'give it a derived column: [tables.TABLE.derived] COLUMN = {{type = "...", handler = "{name}"}}'
            message = f"handler {name!r} has no column to write in the flows file"
            problems.append(FlowsError(message, file=flows.file, hint=hint))
    return handlers


def _place(spec: HandlerSpec) -> tuple[str, str]:
    """A file that the flows name as `package.module:function` and --handlers as a path is imported twice."""
    code = spec.function.__code__
    return code.co_filename, code.co_qualname


def _handler_spec(
    reference: str, known: Mapping[str, Spec], handlers: Mapping[str, HandlerSpec], at: Location
) -> HandlerSpec:
    spec = _find(reference, known, at)
    if not isinstance(spec, HandlerSpec):
        hint = "a function that writes rows is marked with @handler(observes=[...], version=...)"
        raise FlowsError(f"{reference!r} is not a @handler", file=at.file, line=at.line, hint=hint)
    twin = next((name for name, known in handlers.items() if known is spec), None)
    if twin is not None:
        message = f"one handler is named in two ways: {twin!r} and {reference!r}"
        raise FlowsError(message, file=at.file, line=at.line, hint="use one of them for all its columns")
    _check_handler_function(reference, spec, at)
    return spec


def _check_observed(flows: Flows, reference: str, observed: str, at: Location) -> None:
    table_name, _, column_name = observed.partition(".")
    table = flows.tables.get(table_name)
    if table is None:
        hint = nearest(table_name, list(flows.tables))
        raise FlowsError(
            f"handler {reference!r} observes unknown table {table_name!r}", file=at.file, line=at.line, hint=hint
        )
    if column_name and column_name not in table.columns:
        hint = nearest(column_name, list(table.columns))
        raise FlowsError(
            f"handler {reference!r} observes unknown column {observed!r}", file=at.file, line=at.line, hint=hint
        )
    written = {column.name for column in table.columns.values() if column.writer == reference}
    if column_name in written or (not column_name and written):
        hint = "it would call itself for ever; observe the columns that it reads"
        raise FlowsError(
            f"handler {reference!r} observes {observed!r}, which it writes", file=at.file, line=at.line, hint=hint
        )


def _refuse_cycles(flows: Flows, handlers: Mapping[str, HandlerSpec]) -> None:
    """Handlers that observe each other's columns would go round for ever."""
    after: dict[str, set[str]] = {}
    for reference, spec in handlers.items():
        for observed in spec.observes:
            table_name, _, column_name = observed.partition(".")
            columns = flows.tables[table_name].columns
            writers = {columns[column_name].writer} if column_name else {column.writer for column in columns.values()}
            after.setdefault(reference, set()).update(writers - {"", reference})
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            loop = " -> ".join([*trail[trail.index(name) :], name])
            raise FlowsError(
                f"handlers observe each other in a circle: {loop}", file=flows.file, hint="break the circle"
            )
        if name not in done:
            for other in sorted(after.get(name, ())):
                visit(other, (*trail, name))
            done.add(name)

    for name in handlers:
        visit(name, ())


def _generation(flows: Flows, fields: Mapping[tuple[str, str], FieldSpec], handlers: Mapping[str, HandlerSpec]) -> int:
    parts = [str(flows.generation)]
    for (document, name), field in sorted(fields.items()):
        parts.append(f"{document}.{name}={field.version}:{sorted(field.inputs.items())}")
    parts += [f"{name}={handlers[name].version}:{handlers[name].observes}" for name in sorted(handlers)]
    return xxhash.xxh3_64_intdigest("\n".join(parts).encode()) & 0x7FFFFFFFFFFFFFFF
