"""The comparison finds every kind of difference, and names document and field."""

import pytest

from ops.demo.compare import SERVABLE, WHOLE, Document, Mismatch, compare_documents, from_line

FIELDS = {"title": "Rug", "bid": 1, "price": "1.50", "tags": ["a"], "note": None}


def differences(*actual: Document) -> list[Mismatch]:
    return list(compare_documents([Document(1, FIELDS, True)], {document.id: document for document in actual}))


def test_equal_documents_have_no_differences() -> None:
    assert differences(Document(1, dict(FIELDS), True)) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("title", "rug"), ("bid", True), ("bid", 1.0), ("bid", "1"), ("price", "1.5"), ("tags", []), ("note", "")],
)
def test_a_field_that_differs_in_value_or_type_is_named(name: str, value: object) -> None:
    assert differences(Document(1, {**FIELDS, name: value}, True)) == [(1, name, FIELDS[name], value)]


def test_a_document_that_should_serve_and_does_not() -> None:
    assert differences(Document(1, FIELDS, False)) == [(1, SERVABLE, True, False)]


def test_missing_and_surplus_documents() -> None:
    assert differences(Document((2, "b"), FIELDS, True)) == [
        (1, WHOLE, "a document", None),
        ((2, "b"), WHOLE, None, "a document"),
    ]


def test_missing_and_surplus_fields() -> None:
    (missing, surplus) = differences(Document(1, {**FIELDS, "more": 1} | {"note2": 2}, True))[:2]
    assert {missing.field, surplus.field} == {"more", "note2"} and missing.unknown and surplus.unknown
    less = {name: value for name, value in FIELDS.items() if name != "note"}
    (found,) = differences(Document(1, less, True))
    assert str(found) == "1 note: expected None, got no such field" and not found.unknown


def test_a_printed_line_with_a_key_of_two_columns() -> None:
    assert from_line({"id": [1, "a"], "fields": {}, "servable": False}) == ((1, "a"), {}, False)
