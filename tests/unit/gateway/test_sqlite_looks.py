"""What `init` and `doctor` find in an SQLite file, and what a URL or a file that can't be used says."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.capture.sqlite.capture import SqliteCapture
from gateway.capture.sqlite.doctor import Finding, examine
from gateway.capture.sqlite.index_sql import index_text
from gateway.capture.sqlite.schema import inspect
from gateway.route import captured_table
from proto.errors import SettingsError
from proto.flows.inspected import InspectedForeignKey
from tests.support.source import World, flows_of, table

ADS = table("ads", {"id": "int", "bid": "int"})
Worlds = Callable[..., World]


def findings(shop: World) -> dict[tuple[str, str], Finding]:
    tables = [captured_table(one) for one in shop.flows.tables.values()]
    return {(found.level, found.subject): found for found in examine(shop.url, tables)}


def test_inspect_finds_tables_columns_and_keys(world: Worlds) -> None:
    shop = world(
        flows_of(ADS),
        """CREATE TABLE campaigns(id INTEGER PRIMARY KEY, code VARCHAR(8) NOT NULL UNIQUE, made_at DATETIME);
        CREATE TABLE ads(id BIGINT NOT NULL PRIMARY KEY, campaign INT REFERENCES campaigns, bid DECIMAL(10,2),
          ok BOOLEAN, twice INT AS (campaign * 2), a INT, b INT, UNIQUE (a, b),
          FOREIGN KEY (a, b) REFERENCES pairs(x, y));
        CREATE TABLE pairs(x INT, y INT, extra, PRIMARY KEY (y, x)) WITHOUT ROWID;
        CREATE TABLE loose(v JSON); CREATE VIEW seen AS SELECT * FROM ads;
        CREATE UNIQUE INDEX partial ON ads(bid) WHERE ok""",
    )
    SqliteCapture(shop.url).attach()
    found = {one.name: one for one in inspect(shop.url)}
    assert list(found) == ["ads", "campaigns", "loose", "pairs"]
    assert found["pairs"].key == ("y", "x") and found["loose"].key == () and found["ads"].key == ("id",)
    assert found["campaigns"].unique == (("code",),) and found["ads"].unique == (("a", "b"),)
    columns = {column.name: (column.declared, column.nullable, column.type) for column in found["ads"].columns}
    assert columns["bid"] == ("DECIMAL(10,2)", True, "decimal") and columns["id"] == ("BIGINT", False, "int")
    assert columns["ok"][2] == "bool" and "twice" in columns
    assert found["ads"].foreign_keys == (
        InspectedForeignKey(("campaign",), "campaigns"),
        InspectedForeignKey(("a", "b"), "pairs", ("x", "y")),
    )


def test_doctor_is_content_with_a_running_source(world: Worlds) -> None:
    shop = world(flows_of(ADS), "CREATE TABLE ads(id INTEGER PRIMARY KEY, bid INTEGER)")
    shop.drain()
    assert {level for level, _ in findings(shop)} == {"fine"}


def test_doctor_says_how_to_mend_what_it_finds(world: Worlds) -> None:
    flows = flows_of(ADS, table("tags", {"name": "str"}, key=("name",)), table("adz", {"id": "int"}))
    shop = world(
        flows,
        "CREATE TABLE ads(id INTEGER PRIMARY KEY, price); CREATE TABLE tags(name TEXT PRIMARY KEY)",
        journal="delete",
    )
    found = findings(shop)
    assert "journal_mode = WAL" in found["warning", "journal mode"].mend
    assert "adsindex source attach" in found["warning", "change log"].mend
    assert "'bid'" in found["error", "table ads"].text and "[tables.ads]" in found["error", "table ads"].mend
    assert "did you mean 'ads'" in found["error", "table adz"].text
    assert "NOT NULL" in found["warning", "table tags"].mend
    shop.drain()
    shop.sql("DROP TRIGGER adsindex_tags_delete")
    assert any("adsindex_tags_delete" in one.text for one in examine(shop.url, [captured_table(flows.tables["tags"])]))


def test_a_writer_that_takes_long_is_no_error(world: Worlds) -> None:
    shop = world(flows_of(ADS), "CREATE TABLE ads(id INTEGER PRIMARY KEY, bid INTEGER)")
    shop.sql("BEGIN IMMEDIATE")
    found = findings(shop)
    shop.sql("ROLLBACK")
    assert "run doctor again" in found["warning", "write access"].mend
    assert "error" not in {level for level, _ in found}


def test_doctor_survives_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is not a database, and long enough to look like one" * 20)
    for name, told in {"text.db": "not a database", "none.db": "no file"}.items():
        (found,) = examine(f"sqlite:///{tmp_path / name}", [])
        assert found.level == "error" and told in found.text and found.mend


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:////no/such/file.db", "there is no file"),
        ("mysql://root@localhost/ads", "only SQLite"),
        ("ads.db", "sqlite:///FILE"),
    ],
)
def test_a_url_that_can_not_be_used_says_why(url: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        SqliteCapture(url)


def test_a_relative_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sqlite3.connect("shop.db").execute("CREATE TABLE t(x)").connection.close()
    assert [one.name for one in inspect("sqlite:///shop.db")] == ["t"]


@pytest.mark.parametrize("name", ["100%20.db", "ads?mode=ro.db", "a b.db", "#é.db"])
def test_the_name_of_a_file_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    """Behind sqlite:/// there are no escapes: `%20` once opened, and so made, another file."""
    sqlite3.connect(tmp_path / name).execute("CREATE TABLE t(x)").connection.close()
    SqliteCapture(f"sqlite:///{tmp_path / name}").attach()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is not a database, and long enough to look like one" * 20)
    with pytest.raises(SettingsError, match="not a database"):
        SqliteCapture(f"sqlite:///{tmp_path / 'text.db'}").attach()


def test_the_journal_mode_is_left_alone(world: Worlds) -> None:
    shop = world(flows_of(ADS), "CREATE TABLE ads(id INTEGER PRIMARY KEY, bid INTEGER)", journal="delete")
    shop.drain()
    assert shop.editor.execute("PRAGMA journal_mode").fetchone() == ("delete",)


@pytest.mark.parametrize(
    ("sql", "terms", "condition"),
    [
        ("CREATE UNIQUE INDEX i ON t(a)", ("a",), ""),
        ("CREATE UNIQUE INDEX \"i(\" ON t(lower(a) DESC, b COLLATE NOCASE ASC)", ("lower(a)", "b"), ""),
        ("CREATE UNIQUE INDEX i ON t(a||',)', b /* c( */) WHERE x='WHERE' AND y", ("a||',)'", "b"), "x='WHERE' AND y"),
    ],
)  # fmt: skip
def test_the_text_of_an_index_is_taken_apart(sql: str, terms: tuple[str, ...], condition: str) -> None:
    assert index_text(sql) == (terms, condition)
