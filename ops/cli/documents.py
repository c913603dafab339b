"""`adsindex doc` and `adsindex docs`: one document, or all of them at one snapshot."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

from cyclopts import Parameter

from ops.addresses import document_address
from ops.cli import render
from ops.cli.exit_codes import NOT_FOUND, OK
from ops.cli.lineage import show_lineage
from ops.cli.parameters import DEFAULT_DATA, AsOf, Data, Json
from ops.document_filter import Matches, conditions_of
from ops.document_view import StoredDocument, read_documents, with_builds
from ops.opened import DataFolder, opened
from ops.times import ago, clock_time_of, parse_time
from proto.record import SignalReading
from repo.api import Snapshot
from repo.system import CONTENT, document_table

_PAGE_DOCUMENTS = 500
_LEASE_S = 3600.0


def doc(
    address: Annotated[
        str, Parameter(help='[TYPE/]ID; of several sources SOURCE:ID; a composite id as a,b or ["a",1].')
    ],
    /,
    *,
    lineage: Annotated[
        bool, Parameter(negative=(), show_default=False, help="Show where each field comes from, and which version.")
    ] = False,
    as_of: AsOf = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Show one document, whole, as it is or as it was; or what it was made of.

    For example:

        adsindex doc ad/4711
        adsindex doc 4711 --as-of -5m --json
        adsindex doc 4711 --lineage

    Exit code 3: there is no such document.
    """
    with opened(data) as folder:
        now_ms = folder.clock.now_ms()
        sources = folder.sources()
        found = document_address(folder.flows, sources, address)
        timestamp = None if as_of is None else parse_time(as_of, now_ms)
        with folder.snapshot(timestamp) as snapshot:
            (document,) = read_documents(snapshot, folder.schemas, found.document, [found.key])
            if lineage:
                return show_lineage(folder, snapshot, found, document, json)
        if document is None:
            when = "" if as_of is None else f" as of {as_of}"
            render.note(f"there is no document {found.text}{when}")
            return NOT_FOUND
        if json:
            render.print_json(document.with_signals(now_ms))
        else:
            _print_document(document, list(folder.flows.documents[found.document].fields), sources, now_ms)
        return OK


def docs(
    *,
    where: Annotated[str | None, Parameter(help="Only documents whose fields meet an SQL condition.")] = None,
    type: Annotated[str | None, Parameter(name="--type", help="Only this document type.")] = None,
    as_of: AsOf = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Print all documents of one snapshot, one a line.

    For example:

        adsindex docs --json > documents.jsonl
        adsindex docs --type ad --where "servable and bid_micros > 1000000" --as-of -1h
    """
    with opened(data) as folder:
        now_ms = folder.clock.now_ms()
        sources = folder.sources()
        timestamp = None if as_of is None else parse_time(as_of, now_ms)
        with folder.snapshot(timestamp) as snapshot, _held(folder, snapshot, timestamp):
            conditions = conditions_of(folder, snapshot, type, where)
            for name, matches in conditions.items():
                for document in _matching(folder, snapshot, name, matches):
                    if json:
                        render.print_json(document.as_json(), flush=False)
                    else:
                        render.print_line(_line(document, sources))
        return OK


def _held(folder: DataFolder, snapshot: Snapshot, timestamp: int | None) -> AbstractContextManager[None]:
    """For the past, which is perhaps about to be collected. What there is now is kept for hours anyway, and a lease is
    a write: it would wait for whoever hangs, and fail on a full disk."""
    return nullcontext() if timestamp is None else folder.repo.lease(snapshot, _LEASE_S)


def _matching(folder: DataFolder, snapshot: Snapshot, document_type: str, matches: Matches) -> Iterator[StoredDocument]:
    """A page at a time, so that memory stays bounded."""
    after = b""
    while True:
        page = snapshot.scan(document_table(document_type), CONTENT, after=after, limit=_PAGE_DOCUMENTS)
        for document in with_builds(snapshot, folder.schemas, document_type, page):
            if document is not None and matches(document):
                yield document
        if len(page) < _PAGE_DOCUMENTS:
            return
        after = page[-1][0]


def _print_document(document: StoredDocument, order: list[str], sources: list[str], now_ms: float) -> None:
    """order: of the fields, as far as they stand in the flows file."""
    render.print_title(document.address(sources), document.state(), f"changed {document.when(now_ms)}")
    render.print_line(f"sequence {document.sequence}")
    if document.built_at is not None:
        render.print_line(f"built as of {clock_time_of(document.built_at)} UTC ({document.built_at})")
    if document.missing:
        render.print_line(f"missing: {', '.join(document.missing)}")
    if document.blocked:
        code, _, signal = document.blocked.partition(" ")
        render.print_problem(f"blocked: {code}: it keeps this content until signal {signal!r} answers again")
    render.print_line("")
    names = sorted(document.fields, key=lambda name: order.index(name) if name in order else len(order))
    render.print_table(("field", "value"), [(name, render.shown(document.fields[name])) for name in names])
    if document.signals:
        render.print_line("")
        readings = [_reading_line(reading, now_ms) for reading in document.signals]
        render.print_table(("signal", "state", "key", "version", "asked"), readings, right=(3,))


def _reading_line(reading: SignalReading, now_ms: float) -> tuple[str, str, str, str, str]:
    asked = ago(reading.fetched_ms, now_ms) if reading.fetched_ms else ""
    return reading.signal, reading.state, render.shown(reading.key), str(reading.version or ""), asked


def _line(document: StoredDocument, sources: list[str]) -> str:
    fields = " ".join(f"{name}={render.shown(value)}" for name, value in document.fields.items())
    return f"{document.address(sources)}  {document.state()}  {clock_time_of(document.sequence)}  {fields}"
