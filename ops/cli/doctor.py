"""`adsindex doctor`: checks what can be checked, and says how to mend what it finds."""

import os
import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from cyclopts import Parameter

from gateway.capture.sqlite.capture import SqliteCapture
from gateway.capture.sqlite.file import SqliteFile
from gateway.capture.sqlite.schema import inspect
from ops.cli import render
from ops.cli.exit_codes import OK, WRONG
from ops.cli.parameters import DEFAULT_DATA, Data, Json
from ops.installation import load_installation
from ops.opened import STORE_FILE, opened
from ops.settings import load_settings
from proto.errors import AdsIndexError

_LIBRARIES = ("lmdb", "msgspec", "sqlalchemy", "sqlglot", "pydantic")
_FREE_BYTES_MIN = 1 << 30
_SQLITE_MIN = (3, 35)


class _Finding(NamedTuple):
    """level: "ok", "warning": worth a look; "wrong": it can't work like that. remedy: what to do."""

    level: Literal["ok", "warning", "wrong"]
    subject: str
    found: str
    remedy: str = ""


def doctor(
    *,
    source: Annotated[str | None, Parameter(help="A database to look at; without: those of the data folder.")] = None,
    data: Data = DEFAULT_DATA,
    json: Json = False,
) -> int:
    """Check versions, settings, disk, the data folder and a source; say how to mend what is found.

    For example:

        adsindex doctor --source sqlite:///shop.db

    Exit code 1: something can't work as it is.
    """
    found = [*_machine(), *_settings(data), *_data_folder(data)]
    for url in [source] if source is not None else _sources(data):
        found += _source(url)
    if json:
        render.print_json([finding._asdict() for finding in found])
    else:
        _print(found)
    return WRONG if any(finding.level == "wrong" for finding in found) else OK


def _machine() -> Iterator[_Finding]:
    yield _Finding("ok", "Python", platform.python_version())
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    yield _Finding("ok", "libraries", f"adsindex {version('adsindex')}, {libraries}")


def _settings(data: Path) -> Iterator[_Finding]:
    try:
        effective = load_settings(data, os.environ).effective
    except AdsIndexError as error:
        yield _Finding("wrong", "settings", str(error), "see `adsindex config show`")
        return
    changed = sum(setting.origin != "default" for setting in effective)
    yield _Finding("ok", "settings", f"{len(effective)} settings, {changed} not at their default")


def _data_folder(data: Path) -> Iterator[_Finding]:
    there = data
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    remedy = "make room, or put --data on another disk" if free < _FREE_BYTES_MIN else ""
    yield _Finding("warning" if remedy else "ok", "disk", f"{render.size(free)} free", remedy)
    if not (data / STORE_FILE).exists():
        yield _Finding("ok", "data folder", f"{data}: none yet; `adsindex run` makes it")
        return
    try:
        with opened(data) as folder:
            sources = ", ".join(folder.sources()) or "none yet"
            found = f"{data}: {render.size(folder.environment.size_bytes())}, sources: {sources}"
    except AdsIndexError as error:
        yield _Finding("wrong", "data folder", str(error))
        return
    yield _Finding("ok", "data folder", found)


def _sources(data: Path) -> list[str]:
    """Those that the data folder remembers."""
    try:
        return list(load_installation(data).sources.values())
    except AdsIndexError:
        return []


def _source(url: str) -> Iterator[_Finding]:
    try:
        yield from _sqlite(url)
    except AdsIndexError as error:
        yield _Finding("wrong", "source", str(error), "check the URL, the file's place and its permissions")


def _sqlite(url: str) -> Iterator[_Finding]:
    file, capture = SqliteFile(url), SqliteCapture(url)
    try:
        with file.reading():
            (library,) = file.one("SELECT sqlite_version()")
            (mode,) = file.one("PRAGMA journal_mode")
            identity = None if not file.all("SELECT 1 FROM sqlite_master LIMIT 1") else capture.identity()
    finally:
        file.close()
        capture.close()
    old = tuple(map(int, str(library).split(".")[:2])) < _SQLITE_MIN
    yield _Finding("warning" if old else "ok", "SQLite", str(library), "3.35 or later is tested" if old else "")
    if mode == "wal":
        yield _Finding("ok", "journal mode", "wal: readers and writers do not wait for each other")
    else:
        remedy = "let its owner run once: PRAGMA journal_mode = WAL"
        yield _Finding("warning", "journal mode", f"{mode}: while it is read, its writers wait (up to 20 ms)", remedy)
    if not os.access(file.path, os.W_OK):
        yield _Finding("wrong", "permissions", f"{file.path} can't be written", "the change log is kept in it")
    tables = inspect(url)
    keyless = [table.name for table in tables if not table.key]
    attached = f"attached (incarnation {identity.incarnation})" if identity is not None else "not attached yet"
    yield _Finding("ok", "source", f"{len(tables)} tables, {attached}")
    if keyless:
        remedy = "only tables with a primary key can be captured"
        yield _Finding("warning", "tables", f"without a primary key: {', '.join(keyless)}", remedy)


def _print(found: list[_Finding]) -> None:
    styles = {"ok": "", "warning": "yellow", "wrong": "bold red"}
    rows = [(one.level, one.subject, one.found + (f" -> {one.remedy}" if one.remedy else "")) for one in found]
    render.print_table(("", "", ""), rows, styles=[styles[one.level] for one in found], header=False)
