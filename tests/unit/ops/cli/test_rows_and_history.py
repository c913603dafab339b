"""`row` and `history`: values, when each changed, who wrote it; what changed from version to version."""

from typing import Any


def campaign(folder: Any) -> tuple[int, int]:
    """Inserted at position 3, its budget changed at 5; (first, second) commit timestamp."""
    values = {"id": 1, "name": "Größe 🎈", "budget": "12.50"}
    first = folder.row("campaigns", ("shop", 1), 3, values)
    second = folder.row("campaigns", ("shop", 1), 5, {**values, "budget": "15.00"}, base=first, since={2: 0})
    return first, second


def test_row_names_for_each_column_its_last_change_and_its_writer(folder: Any, adsindex: Any) -> None:
    first, second = campaign(folder)
    folder.close()
    found = adsindex("row", "campaigns/1", "--json").json
    assert (found["table"], found["id"], found["deleted"], found["parked"]) == ("campaigns", 1, False, {})
    columns = found["columns"]
    assert {name: column["changed_at"] for name, column in columns.items()} == {
        "id": first,
        "name": first,
        "budget": second,
    }
    assert columns["name"]["writer"] == "source shop @ 3"
    assert columns["budget"] == {
        "value": "15.00",
        "group": "high",
        "changed_at": second,
        "changed": "2025-11-22T20:34:07.120Z",
        "writer": "source shop @ 5",
    }


def test_row_as_of_shows_what_was(folder: Any, adsindex: Any) -> None:
    first, _ = campaign(folder)
    folder.close()
    found = adsindex("row", "campaigns/1", "--as-of", "2025-11-22T20:34:06.120", "--json").json
    assert found["columns"]["budget"]["value"] == "12.50"
    assert adsindex("row", "campaigns/1", "--as-of", str(first - 1)).code == 3


def test_all_groups_are_shown_and_a_handlers_name_is_its_writer(folder: Any, adsindex: Any) -> None:
    campaign(folder)
    folder.row("campaigns", ("shop", 1), 0, {"note": "n"}, group="low", writer="annotate v2")
    folder.close()
    note = adsindex("row", "campaigns/1", "--json").json["columns"]["note"]
    assert (note["group"], note["writer"]) == ("low", "annotate v2")


def test_a_parked_row_says_why(folder: Any, adsindex: Any) -> None:
    campaign(folder)
    folder.row("campaigns", ("shop", 1), 7, {"id": 1, "name": "n"}, parked="'x' (str) is not a decimal number")
    folder.close()
    ran = adsindex("row", "campaigns/1")
    assert ran.code == 0
    assert any("parked (high): 'x' (str) is not a decimal number" in line for line in ran.lines)


def test_a_deleted_row_says_when_and_ends_with_3(folder: Any, adsindex: Any) -> None:
    campaign(folder)
    deleted = folder.row("campaigns", ("shop", 1), 9, None)
    folder.close()
    ran = adsindex("row", "campaigns/1", "--json")
    assert (ran.code, ran.json["deleted_at"]) == (3, deleted)
    assert "by source shop @ 9" in adsindex("row", "campaigns/1").output


def test_unknown_rows_and_tables(folder: Any, adsindex: Any) -> None:
    folder.close()
    assert adsindex("row", "campaigns/2").code == 3
    ran = adsindex("row", "campaing/2")
    assert ran.code == 2
    assert "did you mean 'campaigns'?" in ran.errors
    assert "write TABLE/ID" in adsindex("row", "2").errors


def test_history_of_a_row_shows_old_and_new_newest_first(folder: Any, adsindex: Any) -> None:
    first, second = campaign(folder)
    deleted = folder.row("campaigns", ("shop", 1), 9, None)
    folder.close()
    changes = adsindex("history", "campaigns/1", "--json").jsonl
    assert [(change["at"], change["what"]) for change in changes] == [
        (deleted, "deleted"), (second, "changed"), (first, "inserted"),
    ]  # fmt: skip
    assert changes[1]["changes"] == {"budget": {"old": "12.50", "new": "15.00"}}
    assert (changes[1]["writer"], changes[1]["time"]) == ("source shop @ 5", "2025-11-22T20:34:07.120Z")


def test_a_version_that_only_moved_the_source_position_is_no_change(folder: Any, adsindex: Any) -> None:
    first, _ = campaign(folder)
    values = {"id": 1, "name": "Größe 🎈", "budget": "15.00"}
    folder.row("campaigns", ("shop", 1), 6, values, base=first)
    folder.close()
    assert len(adsindex("history", "campaigns/1", "--json").jsonl) == 2


def test_history_of_one_column(folder: Any, adsindex: Any) -> None:
    campaign(folder)
    folder.close()
    assert len(adsindex("history", "campaigns/1", "--column", "budget", "--json").jsonl) == 2
    assert len(adsindex("history", "campaigns/1", "--column", "name", "--json").jsonl) == 1


def test_history_of_a_document(folder: Any, adsindex: Any) -> None:
    folder.document("ad", ("shop", 1), {"id": 1, "title": "old"})
    folder.document("ad", ("shop", 1), {"id": 1, "title": "new"}, servable=False, missing=["campaign"])
    folder.close()
    changes = adsindex("history", "ad/1", "--json").jsonl
    assert changes[0]["changes"] == {
        "title": {"old": "old", "new": "new"},
        "(servable)": {"old": True, "new": False},
        "(missing)": {"old": None, "new": ["campaign"]},
    }
    assert changes[1]["what"] == "inserted"
    shown = [line.split() for line in adsindex("history", "ad/1").lines]
    assert ["title", "old", "->", "new"] in shown


def test_history_of_nothing_ends_with_3(folder: Any, adsindex: Any) -> None:
    folder.close()
    assert adsindex("history", "ad/1").code == 3
    assert adsindex("history", "campaigns/1").code == 3


def test_the_oldest_version_that_retention_has_left_is_not_called_inserted(folder: Any, adsindex: Any) -> None:
    _, second = campaign(folder)
    folder.document("ad", ("shop", 7), {"id": 7})
    built = folder.document("ad", ("shop", 7), {"id": 8})
    folder.repo.collect_garbage(built, 1000)
    later = folder.row("campaigns", ("shop", 2), 9, {"id": 2, "name": "n", "budget": "1.00"})
    folder.close()
    for address, at in (("campaigns/1", second), ("ad/7", built)):
        (line,) = adsindex("history", address, "--json").jsonl
        assert (line["at"], line["what"]) == (at, "oldest kept")
    assert any(line.split() == ["budget", "15.00"] for line in adsindex("history", "campaigns/1").lines)
    (line,) = adsindex("history", "campaigns/2", "--json").jsonl
    assert (line["at"], line["what"]) == (later, "inserted")
