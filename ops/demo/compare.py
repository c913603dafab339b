"""Compares documents that should be there with documents that are there, whatever they are about."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple


class Document(NamedTuple):
    """A document as the command line prints it. id: a scalar, a tuple when the key has several columns."""

    id: Any
    fields: Mapping[str, Any]
    servable: bool


class Mismatch(NamedTuple):
    """One difference. field "(document)": it is missing (actual None) or should not be there (expected None).

    unknown: nobody says what a field that is there should hold.
    """

    id: Any
    field: str
    expected: Any
    actual: Any

    @property
    def unknown(self) -> bool:
        return self.expected is _ABSENT

    def __str__(self) -> str:
        return f"{self.id} {self.field}: expected {self.expected!r}, got {self.actual!r}"


WHOLE, SERVABLE = "(document)", "(servable)"


def from_line(line: Mapping[str, Any]) -> Document:
    """One line of `adsindex docs --json`, decoded."""
    identity = line["id"]
    return Document(tuple(identity) if isinstance(identity, list) else identity, line["fields"], line["servable"])


def compare_documents(expected: Iterable[Document], actual: Mapping[Any, Document]) -> Iterator[Mismatch]:
    """Every difference, document by document. `actual` may decode on access: each document is looked up once."""
    seen = set()
    for wanted in expected:
        seen.add(wanted.id)
        found = actual.get(wanted.id)
        if found is None:
            yield Mismatch(wanted.id, WHOLE, "a document", None)
        else:
            yield from _differences(wanted, found)
    for identity in actual:
        if identity not in seen:
            yield Mismatch(identity, WHOLE, None, "a document")


def _differences(wanted: Document, found: Document) -> Iterator[Mismatch]:
    if wanted.servable is not found.servable:
        yield Mismatch(wanted.id, SERVABLE, wanted.servable, found.servable)
    for name, value in wanted.fields.items():
        other = found.fields.get(name, _ABSENT)
        if value != other or type(value) is not type(other):
            yield Mismatch(wanted.id, name, value, other)
    for name in found.fields.keys() - wanted.fields.keys():
        yield Mismatch(wanted.id, name, _ABSENT, found.fields[name])


class _Absent:
    def __repr__(self) -> str:
        return "no such field"


_ABSENT = _Absent()
