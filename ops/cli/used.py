"""`adsindex used`: which documents used a row, a version of a function or of a signal, or were built in a window."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

from cyclopts import Parameter

from argus.used import TIMESTAMP_MAX, Row, Usage, Use
from ops.addresses import row_address, shown_address, shown_id, source_of
from ops.cli import render
from ops.cli.exit_codes import NOT_FOUND, OK
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.opened import DataFolder, opened
from ops.times import clock_time_of, iso_of, parse_time
from proto.errors import SettingsError
from proto.flows.paths import nearest

_Time = Annotated[str | None, Parameter(allow_leading_hyphen=True, help="Only documents built since, or until, then.")]


def used(
    *,
    row: Annotated[str | None, Parameter(help="TABLE/ID, or TABLE/ID@VERSION (a commit timestamp).")] = None,
    handler: Annotated[str | None, Parameter(help="NAME or NAME@VERSION of a field's or a handler's function.")] = None,
    signal: Annotated[str | None, Parameter(help="NAME or NAME@VERSION of a signal.")] = None,
    since: _Time = None,
    until: _Time = None,
    type: Annotated[str | None, Parameter(name="--type", help="Only this document type.")] = None,
    limit: Annotated[int, Parameter(help="At most so many documents.")] = 100,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Show which documents used something, as they are now: a row, a function, a signal; or those built in a window.

    For example:

        adsindex used --row campaigns/381
        adsindex used --handler effective_bid_micros@3 --json --limit 1000000
        adsindex used --signal performance@20261122
        adsindex used --since -10m --until -5m

    Exit code 3: no document did.
    """
    asked = [name for name in (row, handler, signal) if name is not None]
    if len(asked) > 1 or not (asked or since or until):
        one = "--row, --handler or --signal, or only a window with --since or --until"
        raise SettingsError(f"say one thing to look for: {one}")
    with opened(data) as folder:
        now_ms = folder.clock.now_ms()
        begin = 0 if since is None else parse_time(since, now_ms)
        end = TIMESTAMP_MAX if until is None else parse_time(until, now_ms)
        with folder.repo.snapshot() as snapshot:
            usage = Usage(snapshot, folder.flows, folder.schemas, begin, end)
            types = _types(folder, type)
            found = list(islice(_found(folder, usage, types, row, handler, signal), limit + 1))
        sources = folder.sources()
    for use in found[:limit]:
        if json:
            render.print_json(_as_json(use), flush=False)
    if not json and found:
        _print(sources, found[:limit])
    if len(found) > limit:
        render.note(f"there are more than {limit:,}; see them with --limit")
    if not found:
        what = f" used {asked[0]}" if asked else " was built"
        render.note(f"no document{what}" + (" in this window" if since or until else ""))
    return OK if found else NOT_FOUND


def _types(folder: DataFolder, wanted: str | None) -> list[str]:
    documents = list(folder.flows.documents)
    if wanted is not None and wanted not in documents:
        raise SettingsError(f"there is no document type {wanted!r}; {nearest(wanted, documents)}")
    return documents if wanted is None else [wanted]


def _found(
    folder: DataFolder, usage: Usage, types: list[str], row: str | None, handler: str | None, signal: str | None
) -> Iterator[Use]:
    if row is not None:
        text, version = _versioned(row)
        found = row_address(folder.flows, folder.sources(), text)
        return (use for one in types for use in usage.of_row(one, Row(found.table, found.key, version)))
    if handler is not None:
        name, version = _versioned(handler)
        name = name.rpartition(":")[2]
        _check(name, "made by a function", {function for one in types for function in usage.functions(one)})
        return (use for one in types for use in usage.of_function(one, name, version))
    if signal is not None:
        name, version = _versioned(signal)
        _check(name, "made with a signal", {function for one in types for function in usage.signals(one)})
        return (use for one in types for use in usage.of_signal(one, name, version))
    return (use for one in types for use in usage.in_window(one))


def _check(name: str, what: str, known: set[str]) -> None:
    if name not in known:
        raise SettingsError(
            f"no document was {what} {name!r}; {nearest(name, sorted(known)) if known else 'there are none'}"
        )


def _versioned(text: str) -> tuple[str, int]:
    """`NAME@VERSION` -> (NAME, VERSION); 0 where none is given."""
    name, at, version = text.rpartition("@")
    return (name, int(version)) if at and version.isdigit() else (text, 0)


def _as_json(use: Use) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": use.document_type,
        "id": shown_id(use.key),
        "source": source_of(use.key),
        "built_at": use.built_at,
        "built": iso_of(use.built_at),
        "generation": use.generation,
    }
    if use.version:
        found["version"] = use.version
    if use.row_versions:
        found["row_versions"] = use.row_versions
    return found


def _print(sources: list[str], found: list[Use]) -> None:
    rows = [
        (
            shown_address(use.document_type, use.key, sources),
            clock_time_of(use.built_at),
            str(use.generation),
            _version(use),
        )
        for use in found
    ]
    render.print_table(("document", "built (UTC)", "generation", "version used"), rows)


def _version(use: Use) -> str:
    if use.row_versions:
        shown = (f"{group} {_shown(version)}" for group, version in use.row_versions.items())
        return ", ".join(shown)
    return f"v{use.version}" if use.version else ""


def _shown(version: int) -> str:
    if version == 0:
        return "never there"
    return f"{version}" if version > 0 else f"deleted {-version}"
