"""The generation of a flows file: a hash of what it means for those that run it."""

import json
from collections.abc import Mapping

import xxhash

from proto.flows.conditions import parse
from proto.flows.model import Document, Shortcut, Signal, Table

FORMAT = 1
"""Raise it when the same file begins to mean something else: every document is then built again."""


def generation_of(
    tables: Mapping[str, Table],
    documents: Mapping[str, Document],
    signals: Mapping[str, Signal],
    shortcuts: Mapping[str, Shortcut],
) -> int:
    """63 bits, the same in every process. Comments, layout, order, and what only people read (owner, kind, critical,
    freshness, sensitive) don't count."""
    meaning: dict[str, object] = {
        "format": FORMAT,
        "tables": {name: _table(table) for name, table in tables.items()},
        "documents": {name: _document(document) for name, document in documents.items()},
    }
    if signals:
        meaning["signals"] = {name: _signal(signal) for name, signal in signals.items()}
    if shortcuts:
        meaning["shortcuts"] = {name: (one.table, one.columns, one.topic) for name, one in shortcuts.items()}
    canonical = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return xxhash.xxh3_64_intdigest(canonical.encode()) & (2**63 - 1)


def _table(table: Table) -> dict[str, object]:
    return {
        **({"feed": True} if table.feed else {}),
        "source": table.source_table,
        "sources": sorted(table.sources),
        "key": table.key,
        "columns": {column.name: (column.type, int(column.lane), column.writer) for column in table.columns.values()},
        "references": {link.name: (link.columns, link.parent) for link in table.references.values()},
        "collections": {
            link.name: (link.child, link.columns, link.order_by, link.descending, link.limit)
            for link in table.collections.values()
        },
    }


def _document(document: Document) -> dict[str, object]:
    return {
        "root": document.root,
        "servable": parse(document.servable).canonical if document.servable else "",
        "fields": {field.name: (field.path, field.handler) for field in document.fields.values()},
    }


def _signal(signal: Signal) -> dict[str, object]:
    """With how it is called and cached: no document depends on that, and every process has to take it over."""
    return {
        "fetch": signal.fetch,
        "key": signal.key,
        "fields": list(signal.fields.items()),
        "on": signal.on_failure,
        "calls": signal.calls(),
    }
