"""What the Query service answers: as the commands do with --json."""

from typing import Any

from ops.cli.lineage import lineage_json
from ops.document_view import read_documents
from ops.lookup.explain import explain, find_document
from ops.lookup.json_view import trace_json, why_json
from ops.lookup.traces import document_traces
from ops.opened import DataFolder
from ops.rpc.query import Answer
from ops.times import parse_time

_TRACES = 5


def answers(folder: DataFolder) -> dict[str, Answer]:
    """Name of the method -> what answers it, from any thread."""

    def document(address: str, as_of: str, limit: int) -> list[Any]:
        found = find_document(folder, address)
        with folder.snapshot(_timestamp(folder, as_of)) as snapshot:
            (stored,) = read_documents(snapshot, folder.schemas, found.document, [found.key])
        return [] if stored is None else [stored.as_json()]

    def lineage(address: str, as_of: str, limit: int) -> list[Any]:
        found = find_document(folder, address)
        with folder.snapshot(_timestamp(folder, as_of)) as snapshot:
            (stored,) = read_documents(snapshot, folder.schemas, found.document, [found.key])
            made = lineage_json(folder, snapshot, found, stored)
        return [] if made is None else [made]

    def trace(address: str, as_of: str, limit: int) -> list[Any]:
        found = find_document(folder, address)
        return [trace_json(one) for one in document_traces(folder, found.document, found.key, limit or _TRACES)]

    def why(address: str, as_of: str, limit: int) -> list[Any]:
        found = find_document(folder, address)
        return [why_json(explain(folder, found.document, found.key, _timestamp(folder, as_of)))]

    return {"Document": document, "Lineage": lineage, "Trace": trace, "Why": why}


def _timestamp(folder: DataFolder, as_of: str) -> int | None:
    return parse_time(as_of, folder.clock.now_ms()) if as_of else None
