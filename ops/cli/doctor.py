"""`adsindex doctor`: checks what can be checked, and says how to mend what it finds."""

import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.capture.sqlite.capture import SqliteCapture
from gateway.capture.sqlite.doctor import Finding, examine
from gateway.capture.sqlite.schema import inspect
from gateway.capture.stopped import why_and_mend
from gateway.identify import fed_elsewhere, identify
from gateway.route import captured_table, fed_tables
from ops.cli import render
from ops.cli.exit_codes import OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.engine.liveness import Liveness
from ops.engine.status import commits_fail, read_statuses
from ops.installation import load_installation, parse_sources
from ops.lookup.source_look import progress_of
from ops.opened import STORE_FILE, opened
from ops.settings import load_settings
from proto.errors import AdsIndexError, SettingsError, UnavailableError
from proto.flows.model import Flows

_LIBRARIES = ("lmdb", "msgspec", "sqlalchemy", "sqlglot", "pydantic")
_FREE_BYTES_MIN = 1 << 30
_FREE_BYTES_NEEDED = 16 << 20  # for less than a burst's commits
_STYLES = {"fine": "", "warning": "yellow", "error": "bold red"}


def doctor(
    *,
    source: Annotated[
        str | None, Parameter(help="A database to look at, URL or NAME=URL; without: those of the data folder.")
    ] = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Check versions, settings, disk, the data folder and its sources; say how to mend what is found.

    Of a source: its change log, triggers, journal mode, and each table that the data folder's flows read from it.

    For example:

        adsindex doctor --source sqlite:///shop.db

    Exit code 1: something can't work as it is.
    """
    folder, flows = _data_folder(data)
    unreadable, remembered = _remembered(data)
    commits = list(_commits(data))
    found = [("", one) for one in (*_machine(), *_settings(data), _disk(data), folder, *commits, *unreadable)]
    for name, url in (_given(source, remembered) if source is not None else remembered).items():
        known = flows if remembered.get(name) == url else None
        found += [(name, one) for one in _source(name, url, known)]
        if known is not None:
            found += [(name, one) for one in _same(data, name, url)]
    if json:
        render.print_json([{"source": name, **asdict(one)} for name, one in found])
    else:
        _print(found)
    return WRONG if any(one.level == "error" for _, one in found) else OK


def _machine() -> Iterator[Finding]:
    yield Finding("fine", "Python", platform.python_version())
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    yield Finding("fine", "libraries", f"adsindex {version('adsindex')}, {libraries}")


def _settings(data: Path) -> Iterator[Finding]:
    try:
        effective = load_settings(data, os.environ).effective
    except AdsIndexError as error:
        yield Finding("error", "settings", str(error), "see `adsindex config show`")
        return
    changed = sum(setting.origin != "default" for setting in effective)
    yield Finding("fine", "settings", f"{len(effective)} settings, {changed} not at their default")


def _disk(data: Path) -> Finding:
    there = data
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if free >= _FREE_BYTES_MIN:
        return Finding("fine", "disk", f"{render.size(free)} free")
    full = free < _FREE_BYTES_NEEDED
    found = f"{render.size(free)} free" + (": nothing can be stored, no edit gets through" if full else "")
    return Finding("error" if full else "warning", "disk", found, "make room, or put --data on another disk")


def _data_folder(data: Path) -> tuple[Finding, Flows | None]:
    """With the flows that it was built with; None: it has none that can be read."""
    if not (data / STORE_FILE).exists():
        return Finding("fine", "data folder", f"{data}: none yet; `adsindex run` makes it"), None
    try:
        with opened(data) as folder:
            applied = ", ".join(folder.sources()) or "none yet"
            text = f"{data}: {render.size(folder.environment.size_bytes())}, sources: {applied}"
            return Finding("fine", "data folder", text), folder.flows
    except AdsIndexError as error:
        return Finding("error", "data folder", str(error)), None


def _commits(data: Path) -> Iterator[Finding]:
    """Whether what runs can store anything: a quota is full before the disk is."""
    if not (data / STORE_FILE).exists():
        return
    alive = [process.pid for process in Liveness(data).others()]
    for process in read_statuses(data, alive):
        who = f"{process.role} ({process.pid})"
        if process.commit_error:
            text = f"{who} {commits_fail(process.commit_error, process.commits_fail_since_ms)}"
            yield Finding("error", "commits", text, "make room on the disk of the data folder; mind quotas")
        else:
            yield Finding("fine", "commits", f"{who} can commit")


def _remembered(data: Path) -> tuple[list[Finding], dict[str, str]]:
    """What is wrong with the list of sources in the data folder, and the list: name -> URL."""
    try:
        return [], load_installation(data).sources
    except AdsIndexError as error:
        return [Finding("error", "sources", str(error))], {}


def _given(text: str, remembered: Mapping[str, str]) -> dict[str, str]:
    """By the name that the data folder knows the database by, if it does."""
    names = {url: name for name, url in remembered.items()}
    return {names.get(url, name): url for name, url in parse_sources([text]).items()}


def _source(name: str, url: str, flows: Flows | None) -> Iterator[Finding]:
    """flows: None when nothing says yet which of its tables are read."""
    yield from examine(url, [captured_table(table) for table in fed_tables(flows, name)] if flows else [])
    if flows is not None:
        return
    with suppress(AdsIndexError):  # examine has told what is wrong with the file
        keyless = [table.name for table in inspect(url) if not table.key]
        if keyless:
            mend = "give those that are to be indexed a primary key, or a unique index for `key` in the flows file"
            yield Finding("warning", "tables", f"without a primary key: {', '.join(keyless)}", mend)


def _same(data: Path, name: str, url: str) -> Iterator[Finding]:
    """Whether it is still the database that was captured, into this folder: what stops a source for good."""
    with opened(data) as folder:
        progress = progress_of(folder, name)
    capture = SqliteCapture(url)
    try:
        if other := capture.other_reader(str(data.resolve())):
            yield Finding("error", "one folder", fed_elsewhere(name, other))
        elif progress is not None:
            identify(name, capture, progress)
            yield Finding("fine", "same database", f"captured up to position {progress.position}")
    except SettingsError as error:
        yield Finding("error", "same database", *why_and_mend(str(error)))
    except UnavailableError:  # examine has told why
        pass
    finally:
        capture.close()


def _print(found: Iterable[tuple[str, Finding]]) -> None:
    rows, styles = [], []
    for source, one in found:
        subject = f"{source}: {one.subject}" if source else one.subject
        rows.append((one.level, subject, one.text + (f" -> {one.mend}" if one.mend else "")))
        styles.append(_STYLES[one.level])
    render.print_table(("", "", ""), rows, styles=styles, header=False)
