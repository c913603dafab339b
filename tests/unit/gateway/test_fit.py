"""What of a flows file does not fit an SQLite file: tables, columns, keys, types."""

import sqlite3
from pathlib import Path

import pytest

from gateway.capture.sqlite.doctor import Finding
from gateway.capture.sqlite.fit import misfits
from gateway.route import captured_table
from proto.errors import SettingsError
from proto.flows.model import Table
from tests.support.source import table

SETUP = """
CREATE TABLE ads(id INTEGER PRIMARY KEY, bid TEXT, title TEXT);
INSERT INTO ads VALUES (1, 'x', 'a'), (2, '3', 'b'), (3, NULL, 'c');
CREATE TABLE loose(a INT);
CREATE VIEW seen AS SELECT * FROM ads;
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    path = tmp_path / "shop.db"
    database = sqlite3.connect(path)
    database.executescript(SETUP)
    database.close()
    return f"sqlite:///{path}"


def found(url: str, *tables: Table, **more: int) -> list[Finding]:
    return misfits(url, [captured_table(one) for one in tables], **more)


def test_nothing_is_said_of_what_fits_however_it_is_spelt(url: str) -> None:
    assert found(url, table("ads", {"ID": "int", "Title": "str"}, key=("ID",), source_table="ADS")) == []


@pytest.mark.parametrize(
    ("wrong", "text", "mend"),
    [
        (table("ad", {"id": "int"}), "table 'ad' is not in the database", "`source` of [tables.ad]"),
        (table("zebra", {"id": "int"}), "there are: ", "change `source` of [tables.zebra]"),
        (table("seen", {"id": "int"}), "'seen' is a view", "`source` of [tables.seen] to a table"),
        (table("ads", {"id": "int", "prize": "int"}), "column 'prize' of table 'ads' is gone", "the name in `columns`"),
        (table("loose", {"a": "int"}, key=("a",)), "nothing keeps the key (a) of table 'loose' unique", "change `key`"),
    ],
    ids=["table", "unlike", "view", "column", "key"],
)
def test_a_table_that_can_not_be_read_is_an_error_with_a_hint(url: str, wrong: Table, text: str, mend: str) -> None:
    (one,) = found(url, wrong)
    assert (one.level, one.subject) == ("error", wrong.name)
    assert text in one.text and mend in one.mend
    assert not (one.text + one.mend).endswith(".") and not one.text.endswith(".")


def test_misspelt_names_get_the_nearest_and_what_is_not_used(url: str) -> None:
    missing, gone = found(url, table("ad", {"id": "int"}), table("ads", {"id": "int", "prize": "int"}))
    assert missing.text.endswith("did you mean 'ads'?")
    assert gone.text.endswith("not used so far: bid, title")


def test_a_type_that_no_value_has_is_an_error_and_one_that_some_have_a_warning(url: str) -> None:
    bid, title = found(url, table("ads", {"id": "int", "bid": "int", "title": "float"}))
    assert (bid.level, bid.subject) == ("warning", "ads.bid")
    assert bid.text.startswith("1 of the first 2 values can't be int: 'x'") and "dead letters" in bid.mend
    assert (title.level, title.subject) == ("error", "ads.title")
    assert title.text.startswith("3 of the first 3 values") and "declares it TEXT" in title.mend


def test_only_the_first_rows_are_tried(url: str) -> None:
    (bid,) = found(url, table("ads", {"id": "int", "bid": "int"}), sample_rows=1)
    assert (bid.level, bid.text.split(" values")[0]) == ("error", "1 of the first 1")


def test_nothing_is_made_where_no_database_is(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        found(f"sqlite:///{tmp_path}/none.db", table("ads", {"id": "int"}))
    assert list(tmp_path.iterdir()) == []
