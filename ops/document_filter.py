"""Which documents somebody asks for: an SQL condition over their fields (`--where`), for one type or for all."""

from collections.abc import Callable, Mapping
from typing import Any

from ops.document_view import StoredDocument, with_builds
from ops.opened import DataFolder
from proto.errors import FlowsError, SettingsError
from proto.flows.conditions import parse
from proto.flows.paths import nearest, resolve
from repo.api import Snapshot
from repo.system import CONTENT, document_table

Matches = Callable[[StoredDocument], bool]


def conditions_of(folder: DataFolder, snapshot: Snapshot, wanted: str | None, where: str | None) -> dict[str, Matches]:
    """The condition for each document type that is asked for; types without its fields are left out, unless all are."""
    flows = folder.flows
    if wanted is not None and wanted not in flows.documents:
        raise SettingsError(f"there is no document type {wanted!r}; {nearest(wanted, list(flows.documents))}")
    conditions, wrong = {}, None
    for name in [wanted] if wanted is not None else flows.documents:
        try:
            conditions[name] = _condition(_field_types(folder, snapshot, name) if where else {}, where)
        except FlowsError as error:
            wrong = wrong or error
    if wrong is not None and not conditions:
        raise wrong
    return conditions


def _condition(types: Mapping[str, str], expression: str | None) -> Matches:
    if expression is None:
        return lambda _: True
    condition = parse(expression)
    function = condition.compile(types)
    paths = condition.paths
    return lambda stored: function([_value(stored, path) for path in paths]) is True


def _value(stored: StoredDocument, path: str) -> Any:
    return stored.servable if path == "servable" and path not in stored.fields else stored.fields.get(path)


def _field_types(folder: DataFolder, snapshot: Snapshot, document_type: str) -> Mapping[str, str]:
    """Types of `servable` and of plain copies; "any" for lists, computed fields, and those that only the handlers name
    (seen in the first document)."""
    flows, document = folder.flows, folder.flows.documents[document_type]
    first = snapshot.scan(document_table(document_type), CONTENT, limit=1)
    stored = [one for one in with_builds(snapshot, folder.schemas, document_type, first) if one is not None]
    types = {"servable": "bool", **dict.fromkeys([name for one in stored for name in one.fields], "any")}
    for name, field in document.fields.items():
        path = resolve(flows, document.root, field.path) if field.path else None
        types[name] = "any" if path is None or path.many or path.column is None else path.column.type
    return types
