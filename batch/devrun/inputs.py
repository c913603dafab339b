"""What the fields of one document got, for people to read; sensitive columns masked."""

from collections.abc import Mapping, Sequence
from typing import Any

from argus.compile import Compiled
from argus.registry import Application
from batch.devrun.facts import is_sensitive
from batch.devrun.messages import Input
from proto.errors import FlowsError
from proto.flows.model import Flows
from proto.flows.paths import resolve

MASKED = "(masked)"
_VALUE_CHARACTERS_MAX = 300


def shown_inputs(
    application: Application, compiled: Compiled, slots: Sequence[Any], values: Sequence[Any]
) -> list[list[Input]]:
    """For each field, in order. slots: of one document; values: what its fields became (a copy shows its own)."""
    flows, root, document = application.flows, compiled.document.root, compiled.document.name
    shown = []
    for name, value in zip(compiled.names, values, strict=True):
        spec = application.fields.get((document, name))
        if spec is None:
            path = compiled.document.fields[name].path
            shown.append([Input("", path, _shown(flows, root, path, value))])
            continue
        got = compiled.arguments[name](*slots)
        shown.append([Input(each, path, _shown(flows, root, path, got[each])) for each, path in spec.inputs.items()])
    return shown


def _shown(flows: Flows, root: str, path: str, value: Any) -> str:
    if is_sensitive(flows, root, path):
        return MASKED
    text = repr(_masked_row(value, _sensitive_columns(flows, root, path)))
    return text if len(text) <= _VALUE_CHARACTERS_MAX else text[:_VALUE_CHARACTERS_MAX] + "…"


def _sensitive_columns(flows: Flows, root: str, path: str) -> frozenset[str]:
    """Of the rows at a path that ends at rows."""
    try:
        resolved = resolve(flows, root, path)
    except FlowsError:  # not of a row
        return frozenset()
    if resolved.column is not None:
        return frozenset()
    return frozenset(column.name for column in resolved.table.columns.values() if column.sensitive)


def _masked_row(value: Any, sensitive: frozenset[str]) -> Any:
    if not sensitive:
        return value
    if isinstance(value, list):
        return [_masked_row(one, sensitive) for one in value]
    if isinstance(value, Mapping):
        return {name: MASKED if name in sensitive else one for name, one in value.items()}
    return value
