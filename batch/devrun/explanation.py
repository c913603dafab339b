"""One document, built by both versions: each field before and after, with what it got."""

from collections.abc import Iterator
from typing import Any

import msgspec

from batch.devrun.comparison import MISSING, SERVABLE
from batch.devrun.inputs import MASKED
from batch.devrun.messages import CodeFacts, Explained, FieldFacts, Input, Trouble
from batch.devrun.values import same


class FieldExplained(msgspec.Struct):
    """status: "same", "changed", "fails" (with the new code), "added", "removed". inputs_before: [] when they are those
    of after."""

    name: str
    status: str
    origin: str
    before: Any = None
    after: Any = None
    inputs_before: list[Input] = []
    inputs_after: list[Input] = []
    trouble_before: Trouble | None = None
    trouble_after: Trouble | None = None
    us_before: float = 0.0
    us_after: float = 0.0


class Explanation(msgspec.Struct):
    """fields: those that differ first."""

    id: str
    as_of: int
    when: str
    new_code: str
    fields: list[FieldExplained]
    remarks: list[str] = []


class _Cell(msgspec.Struct):
    facts: FieldFacts
    value: Any
    inputs: list[Input]
    trouble: Trouble | None
    us: float


def explain_fields(before: Explained, after: Explained, running: CodeFacts, new: CodeFacts) -> list[FieldExplained]:
    """Of the same document, built by both."""
    old, now = dict(_cells(before, running)), dict(_cells(after, new))
    fields = [_explained(name, old.get(name), now.get(name)) for name in {**now, **old}]
    return sorted(fields, key=lambda field: field.status == "same")


def _cells(explained: Explained, facts: CodeFacts) -> Iterator[tuple[str, _Cell]]:
    built = explained.built
    kind = next((one for one in facts.types if one.name == built.type), None)
    if kind is None or not built.exists:
        return
    if built.lost is not None:
        for at, trouble in (built.troubles or {0: built.lost}).items():
            yield kind.fields[at].name, _Cell(kind.fields[at], None, [], trouble, 0.0)
        return
    yield SERVABLE, _Cell(FieldFacts(SERVABLE, "bool", kind.servable or "always", 0), built.servable, [], None, 0.0)
    yield MISSING, _Cell(FieldFacts(MISSING, "list", "rows that should be there", 0), built.missing, [], None, 0.0)
    for at, field in enumerate(kind.fields):
        value = MASKED if field.sensitive and built.values[at] is not None else built.values[at]
        inputs = explained.inputs[at] if at < len(explained.inputs) else []
        yield field.name, _Cell(field, value, inputs, built.troubles.get(at), built.times_ns[at] / 1000)


def _explained(name: str, before: _Cell | None, after: _Cell | None) -> FieldExplained:
    known = after or before
    assert known is not None
    field = FieldExplained(name, _status(before, after), known.facts.origin)
    if before is not None:
        field.before, field.trouble_before, field.us_before = before.value, before.trouble, before.us
        field.inputs_before = before.inputs if after is None or before.inputs != after.inputs else []
    if after is not None:
        field.after, field.trouble_after, field.us_after = after.value, after.trouble, after.us
        field.inputs_after = after.inputs
    return field


def _status(before: _Cell | None, after: _Cell | None) -> str:
    if before is None or after is None:
        return "added" if before is None else "removed"
    if after.trouble is not None:
        return "fails"
    return "same" if before.trouble is None and same(before.value, after.value) else "changed"
