"""Values that don't fit, rows that aren't there, functions that fail: each is named, and the rest goes on."""

import json
import sqlite3
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from argus.api import Change, HandlerContext, field, handler
from proto.flows.loader import loads
from tests.support.functions import module_of
from tests.support.whole import Whole
from tests.system.club import FLOWS

FIRST, SECOND = ["a", 1], ["a", 2]


def fields(index: Whole, identity: Any = FIRST) -> dict[str, Any]:
    line = index.line("player", identity)
    assert line is not None
    return line["fields"]


def test_a_row_that_does_not_fit_is_parked_and_the_rest_of_its_transaction_goes_on(
    index: Whole, editor: sqlite3.Connection
) -> None:
    editor.executescript("BEGIN; UPDATE teams SET name = 'Blues'; UPDATE players SET value = 'much' || number; COMMIT")
    editor.execute("UPDATE players SET value = 21 WHERE number = 2")
    index.settle()
    (letter,) = index.letters()
    assert (letter.stage, letter.table, letter.subject, letter.column) == (
        "apply",
        "players",
        'players/["a", 1]',
        "value",
    )
    bad, good = index.line("player", FIRST), index.line("player", SECOND)
    assert bad is not None and bad["fields"]["team"] == "Blues" and bad["fields"]["value"] == 10
    assert any("players" in name for name in bad["missing"]), bad
    assert good is not None and good["fields"]["value"] == 21 and good["missing"] == []
    editor.execute("UPDATE players SET value = 11 WHERE number = 1")
    index.settle()
    mended = index.line("player", FIRST)
    assert mended is not None and (mended["fields"]["value"], mended["missing"], index.letters()) == (11, [], [])


def test_a_row_that_never_fitted_has_no_document_until_it_does(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("INSERT INTO players VALUES ('a', 3, 1, 's3', 1.5)")
    index.settle()
    assert index.line("player", ["a", 3]) is None and len(index.letters()) == 1
    editor.execute("UPDATE players SET value = 3 WHERE number = 3")
    index.settle()
    assert fields(index, ["a", 3])["value"] == 3 and index.letters() == []


def test_the_delete_of_a_bad_row_settles_it(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE players SET value = 'x' WHERE number = 1")
    index.settle()
    editor.execute("DELETE FROM players WHERE number = 1")
    index.settle()
    assert index.line("player", FIRST) is None and index.letters() == []


def test_a_bad_parent_is_listed_by_its_documents(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE teams SET weight = 'heavy', name = 'Blues'")
    index.settle()
    assert [letter.column for letter in index.letters()] == ["weight"]
    for line in index.lines("player"):
        assert line["fields"]["team"] == "Reds" and any("team" in name for name in line["missing"]), line
    editor.execute("UPDATE teams SET weight = 3")
    index.settle()
    assert [(line["fields"]["team"], line["missing"]) for line in index.lines("player")] == [("Blues", [])] * 2


def test_a_reference_to_a_row_that_is_not_there(index: Whole, editor: sqlite3.Connection) -> None:
    editor.execute("UPDATE players SET team_id = 99 WHERE number = 1")
    index.settle()
    line = index.line("player", FIRST)
    assert line is not None and (line["fields"]["team"], line["missing"], line["servable"]) == (None, ["team"], False)
    editor.execute("INSERT INTO teams VALUES (99, 'Late', NULL)")
    index.settle()
    line = index.line("player", FIRST)
    assert line is not None and (line["fields"]["team"], line["missing"], line["servable"]) == ("Late", [], True)
    editor.execute("DELETE FROM teams")
    index.settle()
    assert [(one["fields"]["team"], one["missing"]) for one in index.lines("player")] == [(None, ["team"])] * 2


KINDS = {
    "int": [None, 0, -1, 2**63 - 1, -(2**63), "12", 5.0],
    "float": [None, 0.0, -1.5, 1e308, 5e-324, 7],
    "decimal": [None, 0, "-0.10", "123456789012345678901234567890.123456789", 0.1],
    "bool": [None, 0, 1, "true", "false"],
    "str": [None, "", " ", "é" * 10, "👩‍👩‍👧", "x" * 1_000_000, "\x00", "a'b\"c\\", 5],
    "bytes": [None, b"", b"\x00\xff", "text", b"y" * 1_000_000],
    "date": [None, "0001-01-01", "9999-12-31", "2024-02-29"],
    "datetime": [None, "0001-01-01 00:00:00", "9999-12-31T23:59:59.999999", "2026-01-01T01:00:00+02:00"],
    "json": [None, "null", "[]", '{"a": [1, 2.5, "é", null]}'],
}
MISFITS = {
    "int": [2**63 * 2.0, "x", 1.5, b"1"], "float": [float("inf"), "x"], "decimal": ["NaN", "x"], "bool": [2, "maybe"],
    "str": [b"\xff"], "date": ["2025-02-29", "10000-01-01", ""], "datetime": ["yesterday", ""], "json": ["{", ""],
}  # fmt: skip
AS_PRINTED = {
    ("int", "12"): 12, ("int", 5.0): 5, ("float", 7): 7.0, ("decimal", 0): "0", ("decimal", 0.1): "0.1",
    ("bool", 0): False, ("bool", 1): True, ("bool", "true"): True, ("bool", "false"): False, ("str", 5): "5",
    ("bytes", "text"): b64encode(b"text").decode(), ("datetime", "0001-01-01 00:00:00"): "0001-01-01T00:00:00Z",
    ("datetime", "9999-12-31T23:59:59.999999"): "9999-12-31T23:59:59.999999Z",
    ("datetime", "2026-01-01T01:00:00+02:00"): "2025-12-31T23:00:00Z",
}  # fmt: skip


def printed(kind: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if kind == "json" and value is not None:
        return json.loads(value)
    return AS_PRINTED.get((kind, value), value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_value_to_its_edges(tmp_path: Path, whole: Any, kind: str) -> None:
    editor = sqlite3.connect(tmp_path / "values.db", isolation_level=None)
    editor.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, value)")
    text = f"""
        [tables.items]
        source = "items"
        key = "id"
        columns = {{ id = "int", value = "{kind}" }}
        [documents.item]
        root = "items"
        fields = {{ value = "value" }}"""
    index = whole({"main": f"sqlite:///{tmp_path / 'values.db'}"}, loads(text))
    good, bad = KINDS[kind], MISFITS.get(kind, [])
    for first in (0, 1):  # half by the bootstrap, half as edits
        rows = [(number, value) for number, value in enumerate([*good, *bad]) if number % 2 == first]
        editor.executemany("INSERT INTO items VALUES (?, ?)", rows)
        index.settle()
    found = {line["id"]: line["fields"]["value"] for line in index.lines("item")}
    assert found == {number: printed(kind, value) for number, value in enumerate(good)}
    assert {letter.subject for letter in index.letters()} == {
        f"items/{number}" for number in range(len(good), len(good) + len(bad))
    }
    editor.execute("UPDATE items SET value = NULL")
    index.settle()
    assert {line["fields"]["value"] for line in index.lines("item")} == {None}
    assert len(index.lines("item")) == len(good) + len(bad) and index.letters() == []
    editor.close()


@field(inputs={"value": "value"}, version=1, document="player")
def fragile(value: int | None) -> int:
    return {21: "a word", 22: 2**80}.get(value or 0, 100 // (20 - (value or 0)))  # type: ignore[return-value]


@pytest.mark.parametrize("value", [20, 21, 22])
def test_a_computed_field_that_fails_keeps_the_last_good_document_and_is_named(
    index: Whole, editor: sqlite3.Connection, value: int
) -> None:
    editor.execute("UPDATE players SET value = 10")
    index.restart(handlers=[module_of(fragile)])
    index.settle()
    assert [line["fields"]["fragile"] for line in index.lines("player")] == [10, 10]
    editor.executescript(
        f"UPDATE players SET value = {value} WHERE number = 1; UPDATE players SET value = 15 WHERE number = 2"
    )
    index.settle()
    (letter,) = index.letters()
    assert (letter.stage, letter.subject, letter.column) == ("build", "player/a,1", "fragile"), letter
    assert fields(index)["value"] == 10 and fields(index, SECOND)["fragile"] == 20
    editor.execute("UPDATE players SET value = 19 WHERE number = 1")
    index.settle()
    assert fields(index)["fragile"] == 100 and index.letters() == []


HANDLED = FLOWS.replace('weight = "team.weight"', 'weight = "team.weight"\nrank = "ranks.rank"').replace(
    "references = { team = ", 'references = { ranks = "(club, number) -> ranks", team = '
) + """
[tables.ranks]
key = ["club", "number"]
handler = "rank"
columns = { club = "str", number = "int", rank = "int" }
"""  # fmt: skip


@handler(observes=["players.value"], version=1)
async def rank(ctx: HandlerContext, change: Change) -> None:
    row = await ctx.read(change.row)
    if row is None:
        return ctx.delete(ctx.row("ranks", *change.row.key))
    if row["value"] == 20:
        raise RuntimeError("no rank for twenty")
    written = {21: {"rank": "a word"}, 22: {"rnak": 1}}.get(row["value"], {"rank": row["value"] * 2})
    return ctx.write(ctx.row("ranks", *change.row.key), written)


@pytest.mark.parametrize(
    ("value", "why"), [(20, "no rank for twenty"), (21, "'a word'"), (22, "'rnak'")]
)  # fmt: skip
def test_a_handler_that_fails_is_named_and_does_not_hold_the_others(
    tmp_path: Path, whole: Any, editor: sqlite3.Connection, value: int, why: str
) -> None:
    editor.execute("UPDATE players SET value = 1")
    index = whole({"main": f"sqlite:///{tmp_path / 'club.db'}"}, loads(HANDLED), [module_of(rank)])
    index.settle()
    editor.executescript(
        f"UPDATE players SET value = {value} WHERE number = 1; UPDATE players SET value = 5 WHERE number = 2"
    )
    index.settle()
    (letter,) = index.letters()
    assert (letter.stage, letter.subject) == ("handle", "rank players/a,1") and why in letter.reason, letter
    assert (fields(index)["value"], fields(index)["rank"]) == (value, 2)
    assert fields(index, SECOND)["rank"] == 10
    editor.execute("UPDATE players SET value = 7 WHERE number = 1")
    index.settle()
    assert fields(index)["rank"] == 14 and index.letters() == []
