"""What an application says about itself: its fields, where each comes from, and a fingerprint of the code behind it."""

import typing
from collections.abc import Callable, Sequence
from pathlib import PurePath
from types import CodeType
from typing import Any

import xxhash

from argus.api import FieldSpec, HandlerSpec
from argus.compile import Compiled
from argus.registry import Application
from batch.devrun.messages import CodeFacts, FieldFacts, HandlerFacts, TypeFacts
from proto.errors import FlowsError
from proto.flows.model import Column, Field, Flows
from proto.flows.paths import resolve

_KINDS = {"Decimal": "decimal"}


def facts_of(application: Application, compiled: Sequence[Compiled], files: Sequence[str] = ()) -> CodeFacts:
    """compiled: of all its document types."""
    types = [_type(application, one) for one in compiled]
    read = {node.table.name for one in compiled for node in one.plan.nodes}
    handlers = [_handler(application.flows, name, spec, read) for name, spec in application.handlers.items()]
    return CodeFacts(application.generation, types, handlers, list(files))


def fingerprint(function: Callable[..., Any]) -> int:
    """Of what a function does: not of its name, its place or its docstring."""
    parts: list[str] = [repr(getattr(function, "__defaults__", None)), repr(getattr(function, "__kwdefaults__", None))]
    _add_code(function.__code__, function.__doc__, parts)
    return _hash(parts)


def is_sensitive(flows: Flows, root: str, path: str) -> bool:
    """Whether the path ends at a column that is marked so."""
    try:
        column = resolve(flows, root, path).column
    except FlowsError:
        return False
    return column is not None and column.sensitive


def _type(application: Application, compiled: Compiled) -> TypeFacts:
    document = compiled.document
    fields = [_field(application, document.root, document.name, document.fields[name]) for name in compiled.names]
    return TypeFacts(document.name, document.root, document.servable, fields)


def _field(application: Application, root: str, document: str, field: Field) -> FieldFacts:
    spec = application.fields.get((document, field.name))
    if spec is None:
        path = resolve(application.flows, root, field.path)
        assert path.column is not None
        facts = FieldFacts(field.name, "list" if path.many else path.column.type, field.path, _hash([field.path]))
        facts.sensitive = path.column.sensitive
    else:
        code = _hash([str(fingerprint(spec.function)), repr(sorted(spec.inputs.items()))])
        facts = FieldFacts(field.name, _returned(spec), _origin(spec), code, spec.version)
        facts.sensitive = any(is_sensitive(application.flows, root, text) for text in spec.inputs.values())
        facts.function = (spec.function.__code__.co_filename, spec.function.__code__.co_name)
    facts.owner, facts.critical = field.owner, field.critical
    return facts


def _handler(flows: Flows, name: str, spec: HandlerSpec, read: set[str]) -> HandlerFacts:
    code = _hash([str(fingerprint(spec.function)), repr(spec.observes)])
    function = (spec.function.__code__.co_filename, spec.function.__code__.co_name)
    columns = [
        FieldFacts(
            f"{table.name}.{column.name}", column.type, _origin(spec), code, spec.version,
            sensitive=column.sensitive, function=function,
        )
        for table in flows.tables.values()
        for column in _written(table.columns.values(), name)
    ]  # fmt: skip
    observed = dict.fromkeys(text.partition(".")[0] for text in spec.observes)
    return HandlerFacts(name, columns, [table for table in observed if table not in read])


def _written(columns: typing.Iterable[Column], handler: str) -> list[Column]:
    return [column for column in columns if column.writer == handler]


def _origin(spec: FieldSpec | HandlerSpec) -> str:
    file = PurePath(spec.function.__code__.co_filename)
    return f"{spec.name} v{spec.version} ({file.parent.name}/{file.name})"


def _returned(spec: FieldSpec) -> str:
    """The kind of value that a function's annotation promises."""
    try:
        annotation = typing.get_type_hints(spec.function).get("return", Any)
    except NameError:  # compiling the document has told about it
        return "any"
    kinds = [one for one in typing.get_args(annotation) or (annotation,) if one is not type(None)]
    if typing.get_origin(annotation) in (list, dict):
        return str(typing.get_origin(annotation).__name__)
    (kind, *others) = kinds or [Any]
    kind = typing.get_origin(kind) or kind
    name = getattr(kind, "__name__", "any")
    return _KINDS.get(name, name) if not others and isinstance(kind, type) else "any"


def _add_code(code: CodeType, doc: str | None, parts: list[str]) -> None:
    parts += [code.co_code.hex(), repr(code.co_names), repr(code.co_varnames)]
    for value in code.co_consts:
        if isinstance(value, CodeType):
            _add_code(value, None, parts)
        elif value != doc or doc is None:
            parts.append(repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value))


def _hash(parts: Sequence[str]) -> int:
    return xxhash.xxh3_64_intdigest("\n".join(parts).encode())
