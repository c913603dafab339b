"""A handler environment that holds every row of a SQLite database, for comparisons with an independent join."""

import sqlite3
from base64 import b64encode
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from argus.testing import HandlerEnvironment
from ops.demo.compare import Document
from proto.flows.model import Flows


def filled(
    flows: Flows,
    connection: sqlite3.Connection,
    *modules: ModuleType,
    signals: Mapping[str, Mapping[Any, Mapping[str, Any]]] | None = None,
) -> HandlerEnvironment:
    """Every row of every source table of the flows file; handlers have not run."""
    environment = HandlerEnvironment(flows, *modules, signals=signals)
    for table in flows.tables.values():
        columns = [column.name for column in table.columns.values() if not column.writer]
        if table.source_table:
            for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table.source_table}"):
                environment.put(table.name, **dict(zip(columns, row, strict=True)))
    return environment


def printed_documents(
    environment: HandlerEnvironment, flows: Flows, document_type: str, connection: sqlite3.Connection
) -> Iterator[Document]:
    """All documents of a type, as the command line would print them."""
    root = flows.tables[flows.documents[document_type].root]
    for key in connection.execute(f"SELECT {', '.join(root.key)} FROM {root.source_table}").fetchall():
        built = environment.document(document_type, *key)
        fields = {name: _printed(value) for name, value in built.fields.items()}
        yield Document(key[0] if len(key) == 1 else tuple(key), fields, built.servable)


def _printed(value: Any) -> Any:
    return b64encode(value).decode() if isinstance(value, bytes) else value
