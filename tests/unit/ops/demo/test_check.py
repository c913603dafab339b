"""The independent check: values in the command line's form, and planted differences are found."""

import base64
import json
import sqlite3

import pytest

from ops.demo.check import check, expected_documents
from ops.demo.compare import WHOLE, Document
from ops.demo.printed import datetime_text, decimal_text


@pytest.fixture
def actual(source: sqlite3.Connection) -> dict[int, Document]:
    """What a pipeline without faults would serve, after a trip through JSON."""
    printed = (json.dumps(document) for document in expected_documents(source))
    return {line[0]: Document(*line) for line in map(json.loads, printed)}


def test_documents_survive_json(source: sqlite3.Connection, actual: dict[int, Document]) -> None:
    assert len(actual) == 60
    assert list(check(source, actual)) == []


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        ("UPDATE ads SET title = 'planted' WHERE id = 1", "title"),
        ("UPDATE ads SET title = 'planted' WHERE id = 1", "search_terms"),
        ("UPDATE ad_groups SET bid_micros = bid_micros + 1", "ad_group_bid_micros"),
        ("UPDATE campaigns SET starts_on = '1999-12-31'", "campaign_starts_on"),
        ("UPDATE currencies SET usd_rate = 2.5", "daily_budget_usd"),
        ("UPDATE keywords SET name = 'planted'", "keywords"),
        ("UPDATE ad_keywords SET position = 100 - COALESCE(position, 0)", "keyword_ids"),
        ("DELETE FROM targeting_geos", "targeted_countries"),
        ("UPDATE advertisers SET status = 'SUSPENDED'", "(servable)"),
        ("DELETE FROM ads WHERE id = 1", WHOLE),
        ("INSERT INTO ads (id) VALUES (12345)", WHOLE),
    ],
)
def test_a_change_that_did_not_arrive_is_found(
    source: sqlite3.Connection, actual: dict[int, Document], edit: str, field: str
) -> None:
    source.execute(edit)
    assert field in {mismatch.field for mismatch in check(source, actual)}


def test_values_are_printed_as_the_command_line_does(source: sqlite3.Connection) -> None:
    source.execute("UPDATE ads SET bid_multiplier = '1.250', updated_at = '2026-01-02 03:04:05.120' WHERE id = 1")
    source.execute("UPDATE creatives SET content_hash = x'00ff' WHERE id = (SELECT creative_id FROM ads WHERE id = 1)")
    fields = next(iter(expected_documents(source))).fields
    assert fields["bid_multiplier"] == "1.25"
    assert fields["updated_at"] == "2026-01-02T03:04:05.120000Z"
    assert fields["creative_content_hash"] == base64.b64encode(b"\0\xff").decode()
    assert fields["is_sponsored"] in (True, False)


def test_decimals_and_datetimes() -> None:
    assert [decimal_text(value) for value in (12, 12.5, 1e-7, "1.250")] == ["12", "12.5", "0.0000001", "1.250"]
    assert datetime_text("2026-01-02 03:04:05") == datetime_text("2026-01-02T03:04:05.000") == "2026-01-02T03:04:05Z"
