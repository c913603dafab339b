"""Fixtures from a data folder: the rows around a document, or around what a dead letter tells of."""

from pathlib import Path
from types import ModuleType

from argus.api import RowRef
from argus.collect import Collector
from argus.context import row_of
from argus.failures import BUILD_STAGE, HANDLE_STAGE
from argus.fixture import Fixture, to_json
from argus.registry import Application, register
from argus.testing import HandlerEnvironment
from ops.document_view import json_value
from ops.installation import load_installation
from ops.opened import DataFolder
from ops.times import clock_time_of
from ops.wiring.handlers import load_handlers
from proto.errors import TooOldError
from proto.ports.dead_letters import DeadLetterEntry
from repo.api import Snapshot


def around_document(folder: DataFolder, snapshot: Snapshot, document_type: str, key: bytes) -> Fixture:
    """The rows that the document reads, sensitive columns masked, and the document that the running code makes of these
    rows (no fields when that fails). Raises InvalidMessageError when its root row is not there."""
    application, modules = _application(folder)
    found = Collector(application, snapshot, folder.schemas).document(document_type, key)
    found.as_of = f"{clock_time_of(snapshot.timestamp)} UTC"
    try:
        env = HandlerEnvironment(folder.flows, *modules).fixture(to_json(found))
        built = env.document(document_type, *found.key)
    except Exception:  # that is what somebody wants to look at, then
        return found
    found.fields, found.servable, found.missing = json_value(built.fields), built.servable, list(built.missing)
    return found


def around_letter(folder: DataFolder, entry: DeadLetterEntry) -> Fixture | None:
    """As it was when it failed the last time, if that is still kept, else as it is; None for stages that have no such
    rows."""
    if entry.stage not in (BUILD_STAGE, HANDLE_STAGE):
        return None
    try:
        return _around_letter(folder, entry, int(entry.last_ms * 1e6))
    except TooOldError:
        return _around_letter(folder, entry, None)


def _around_letter(folder: DataFolder, entry: DeadLetterEntry, timestamp: int | None) -> Fixture:
    application, _ = _application(folder)
    with folder.snapshot(timestamp) as snapshot:
        collector = Collector(application, snapshot, folder.schemas)
        name = entry.subject.partition("/")[0] if entry.stage == BUILD_STAGE else entry.subject.partition(" ")[0]
        row: RowRef = row_of(entry.table, entry.key)
        found = collector.document(name, entry.key) if entry.stage == BUILD_STAGE else collector.call(name, row)
        found.as_of = f"{clock_time_of(snapshot.timestamp)} UTC"
    return found


def _application(folder: DataFolder) -> tuple[Application, list[ModuleType]]:
    """The flows that the documents were built with, and the code as it is."""
    installation = load_installation(folder.path)
    modules = load_handlers(installation.handlers, Path(installation.flows) if installation.flows else None)
    return register(folder.flows, modules), modules
