"""What an application is made of, in words: generations are compared by it, and it tells what must be rebuilt.

A description maps each part ("table ads", "signal demand", "shortcut budget", "document ad", "handler pace") to its
items, each with a text. What a document type depends on beyond its own entries stands with it as items "reads ...":
when nothing of a part has changed, the values that it leads to can't have changed either.
"""

import json
from collections.abc import Iterable, Mapping

import xxhash

from argus.api import FieldSpec
from argus.compile import Compiled, compile_document
from argus.plan import Node
from argus.registry import Application
from proto.flows.conditions import parse
from proto.flows.generation import FORMAT
from proto.flows.model import Collection, Column, Document, Signal, Table
from repo.system import Generation

Description = dict[str, dict[str, str]]
_UNSAID = Signal("", "", "", {}, 0.0, 0.0).calls()
"""How a signal is called when its author says nothing of it: not worth a line."""
READS = "reads "
"""Begins the items of a document that stand for what it depends on, not for what its author wrote."""


def generation_of(application: Application, admitted_ms: float = 0.0) -> Generation:
    """What is offered for admission; its number is given there. Raises FlowsError for a path that does not resolve."""
    return Generation(0, application.generation, application.flows.text, describe(application), {}, admitted_ms)


def describe(application: Application) -> Description:
    """All parts of an application, in the file's order."""
    tables = application.flows.tables
    found: Description = {f"table {name}": _table(table) for name, table in tables.items()}
    found |= {f"signal {name}": _signal_items(signal) for name, signal in application.flows.signals.items()}
    for shortcut in application.flows.shortcuts.values():
        columns = ", ".join(shortcut.columns)
        found[f"shortcut {shortcut.name}"] = {"sends": f"{columns} of {shortcut.table} to {shortcut.topic}"}
    for document in application.flows.documents.values():
        found[f"document {document.name}"] = _document(application, document)
    for name, spec in application.handlers.items():
        found[f"handler {name}"] = {
            "version": str(spec.version),
            "observes": ", ".join(sorted(spec.observes)),
            **{
                f"writes {table.name}.{column.name}": _column(column)
                for table in tables.values()
                for column in table.columns.values()
                if column.writer == name
            },
        }
    return found


def signature(items: Mapping[str, str]) -> int:
    """Equal for parts that mean the same, in whatever order they were written."""
    return xxhash.xxh3_64_intdigest(json.dumps(items, sort_keys=True).encode())


def tables_of(application: Application, compiled: Compiled) -> frozenset[str]:
    """The tables whose rows a document type reads."""
    if compiled.asynchronous:  # it may read whatever it likes
        return frozenset(application.flows.tables)
    return frozenset(node.table.name for node in compiled.plan.nodes)


def _table(table: Table) -> dict[str, str]:
    of = ", ".join(table.sources) or "every source"
    by = f"{table.source_table} of {of}" if table.source_table else f"a feed, of {of}" if table.feed else "handlers"
    items = {"written by": by, "key": ", ".join(table.key)}
    items |= {f"column {column.name}": _column(column) for column in table.columns.values()}
    for link in table.references.values():
        items[f"reference {link.name}"] = f"{_names(link.columns)} -> {link.parent}"
    for each in table.collections.values():
        items[f"collection {each.name}"] = _collection(each)
    return items


def _column(column: Column) -> str:
    return f"{column.type}, {column.lane.name.lower()}" + (f", written by {column.writer}" if column.writer else "")


def _collection(one: Collection) -> str:
    order = f" order by {one.order_by}{' desc' if one.descending else ''}" if one.order_by else ""
    return f"{one.child}.{_names(one.columns)}{order} limit {one.limit}"


def _names(columns: Iterable[str]) -> str:
    names = list(columns)
    return names[0] if len(names) == 1 else f"({', '.join(names)})"


def _document(application: Application, document: Document) -> dict[str, str]:
    items = {"root": document.root, "servable": parse(document.servable).canonical if document.servable else "always"}
    for one in document.fields.values():
        spec = application.fields.get((document.name, one.name))
        items[f"field {one.name}"] = one.path if spec is None else _computed(one.handler, spec)
    compiled = compile_document(application, document)
    if compiled.asynchronous:
        for table in application.flows.tables.values():
            items[f"{READS}table {table.name}"] = json.dumps(_table(table), sort_keys=True)
    for node, used in compiled.plan.dependencies():
        items[READS + (node.path or node.table.name)] = _node(node, used)
    for read in compiled.plan.signals:
        items[f"{READS}signal {read.signal.name}"] = _signal(read.signal)
    items[f"{READS}format"] = str(FORMAT)
    return items


def _signal(signal: Signal) -> str:
    fields = ", ".join(f"{name} {kind}" for name, kind in signal.fields.items())
    return f"{fields} by {signal.key} from {signal.fetch}, on failure {signal.on_failure}"


def _signal_items(signal: Signal) -> dict[str, str]:
    items = {"fetch": signal.fetch, "key": signal.key, "on failure": signal.on_failure}
    items |= {f"field {name}": kind for name, kind in signal.fields.items()}
    return items | {name: f"{value:,.12g}" for name, value in signal.calls().items() if value != _UNSAID.get(name)}


def _computed(handler: str, spec: FieldSpec) -> str:
    inputs = ", ".join(f"{name} = {path}" for name, path in sorted(spec.inputs.items()))
    return f"{handler} v{spec.version} of {inputs or 'nothing'}" + (", asynchronous" if spec.asynchronous else "")


def _node(node: Node, used: frozenset[str]) -> str:
    """How a table is reached, and how what is read of it is stored."""
    table, items = node.table, _table(node.table)
    columns = sorted({*used, *table.key})
    hop = "root"
    if isinstance(node.hop, Collection):
        hop = _collection(node.hop)
    elif node.hop is not None:
        hop = f"{_names(node.hop.columns)} -> {node.hop.parent}"
    read = ", ".join(f"{name} {items[f'column {name}']}" for name in columns if name in table.columns)
    return f"{hop}; {items['written by']}; key {items['key']}; {read}"
