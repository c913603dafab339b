"""Bad values: the row is parked with a dead letter that names it, the rest goes on, a good version mends it."""

from typing import Any

import pytest

from proto.events import RowChange, decode_unit
from proto.lane import Lane
from proto.ports.processor import Item
from tests.support.shop import ADS, House, flows_of, rows, table, unit

AD = {"id": 1, "campaign_id": 7, "bid": 100, "title": "t", "image": "abc"}


def test_a_bad_row_keeps_its_old_values_and_the_units_other_rows_are_applied(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.all_changes()
    house.send(unit(2, rows("ads", {**AD, "bid": "a lot", "title": "new"}, {**AD, "id": 2}), commit_ms=3.0))
    row = house.row("ads", 1)
    assert row is not None and (row["bid"], row["title"]) == (100, "t")
    assert house.row("ads", 2) is not None
    for group in ("high", "medium"):
        record = house.record("ads", group, 1)
        assert record is not None and (record.source, "'bid'" in record.parked) == ((1, 2), True)
    assert [change.key for change in house.changes(Lane.HIGH)] == [house.key(2), house.key(1)]


def test_its_dead_letter_names_table_key_and_column_and_can_be_offered_again(house: House) -> None:
    house.send(unit(1, rows("ads", {**AD, "id": 2}, {**AD, "bid": "a lot"}), commit_ms=3.0))
    letter = house.letters.get("apply", "ads/1")
    assert letter is not None and house.letters.count() == 1
    assert (letter.table, letter.key, letter.column, letter.lane) == ("ads", house.key(1), "bid", 0)
    assert letter.reason == "column 'bid': 'a lot' (str) is not a 64-bit integer"
    assert (letter.topic, letter.partition, letter.first_ms, letter.last_ms) == ("updates.high", 3, 5000.0, 5000.0)
    alone = decode_unit(letter.message)
    assert [len(part.rows) for part in alone.tables] == [1]
    assert (alone.source, alone.incarnation, alone.position, alone.commit_ms) == ("shop", 1, 1, 3.0)
    wiser = House(flows_of(table("ads", {**{name: item.type for name, item in ADS.columns.items()}, "bid": "str"})))
    wiser.updater.process([Item(letter.message, Lane.HIGH, 1, "replay")])
    row = wiser.row("ads", 1)
    assert row is not None and row["bid"] == "a lot"


def test_all_bad_columns_of_a_row_are_named(house: House) -> None:
    house.send(unit(1, rows("ads", {**AD, "campaign_id": "x", "bid": "a lot"})))
    letter = house.letters.get("apply", "ads/1")
    assert letter is not None and letter.column == "campaign_id, bid"
    assert letter.reason == (
        "column 'campaign_id': 'x' (str) is not a 64-bit integer; column 'bid': 'a lot' (str) is not a 64-bit integer"
    )


def test_a_good_version_clears_the_dead_letter_and_notifies(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.send(unit(2, rows("ads", {**AD, "bid": "bad"})))
    house.all_changes()
    house.send(unit(3, rows("ads", AD)))
    assert house.letters.count() == 0
    record = house.record("ads", "medium", 1)
    assert record is not None and (record.parked, record.source) == ("", (1, 3))
    assert house.all_changes() == {Lane.HIGH: [RowChange("ads", house.key(1))]}
    assert house.letters.cleared == 1


def test_rows_that_were_not_parked_never_ask_for_dead_letters(house: House) -> None:
    house.send(unit(1, rows("ads", AD)), unit(2, rows("ads", {**AD, "bid": 2}, deleted=[(9,)])))
    house.send(unit(3, rows("ads", deleted=[(1,)])))
    assert house.letters.cleared == 0


def test_a_row_that_was_never_good_is_not_there_but_parked(house: House) -> None:
    house.send(unit(1, rows("ads", {**AD, "image": b"\xff"})))
    assert house.row("ads", 1) is None
    record = house.record("ads", "high", 1)
    assert record is not None and record.parked.startswith("column 'image'")
    assert house.index("ref:ads.campaign") == {}
    house.send(unit(2, rows("ads", AD)))
    assert house.row("ads", 1) is not None and house.letters.count() == 0
    assert list(house.index("ref:ads.campaign").values()) == [house.key(1)]


def test_the_delete_of_a_parked_row_clears_its_dead_letter_and_its_index_entries(house: House) -> None:
    house.send(unit(1, rows("ads", AD)), unit(2, rows("ads", {**AD, "bid": "bad"})))
    house.send(unit(3, rows("ads", deleted=[(1,)])))
    assert (house.row("ads", 1), house.letters.count(), house.index("ref:ads.campaign")) == (None, 0, {})


def test_a_bad_version_that_is_older_than_the_row_is_nobodys_business(house: House) -> None:
    house.send(unit(5, rows("ads", AD)))
    house.send(unit(3, rows("ads", {**AD, "bid": "bad"}), kind="chunk", lane=Lane.LOW))
    record = house.record("ads", "high", 1)
    assert record is not None and not record.parked
    assert house.letters.count() == 0


def test_bad_and_good_again_in_one_batch_leaves_no_dead_letter(house: House) -> None:
    house.send(unit(1, rows("ads", {**AD, "bid": "bad"})), unit(2, rows("ads", AD)))
    assert house.row("ads", 1) is not None and house.letters.count() == 0
    house.send(unit(3, rows("ads", {**AD, "bid": 3})), unit(4, rows("ads", {**AD, "bid": "bad"})))
    row = house.row("ads", 1)
    assert row is not None and row["bid"] == 3 and house.letters.count() == 1


def test_bad_again_in_another_way_updates_the_reason_without_a_new_notification(house: House) -> None:
    house.send(unit(1, rows("ads", {**AD, "bid": "bad"})))
    house.all_changes()
    house.send(unit(2, rows("ads", {**AD, "bid": "worse"})))
    letter = house.letters.get("apply", "ads/1")
    assert letter is not None and "worse" in letter.reason
    assert house.all_changes() == {}


@pytest.mark.parametrize(
    ("key", "subject", "reason"),
    [
        (None, "ads/null", "column 'id': a key column is NULL"),
        ("x", "ads/x", "column 'id': 'x' (str) is not a 64-bit integer"),
        (2**64 - 1, f"ads/{2**64 - 1}", "column 'id'"),
    ],
)
def test_a_key_that_cannot_be_stored_is_a_dead_letter(house: House, key: Any, subject: str, reason: str) -> None:
    house.send(unit(1, rows("ads", {**AD, "id": key}, AD)))
    letter = house.letters.get("apply", subject)
    assert letter is not None and reason in letter.reason and letter.column == "id"
    assert house.row("ads", 1) is not None


def test_a_key_that_is_too_long_is_a_dead_letter_with_a_short_subject(house: House) -> None:
    house.send(unit(1, rows("notes", {"id": "k" * 500, "text": "t"}, {"id": "ok"}), lane=Lane.LOW))
    (letter,) = house.letters.entries()
    assert "at most 400" in letter.reason and len(letter.subject) < 200 and letter.column == "id"
    assert house.row("notes", "ok") is not None


def test_a_deleted_key_with_too_many_values_is_a_dead_letter(house: House) -> None:
    house.send(unit(1, rows("ads", deleted=[(1, 2)])))
    assert {letter.subject for letter in house.letters.entries()} == {"ads/[1, 2]"}


@pytest.mark.parametrize(("table", "key"), [("ads", None), ("ads", "x"), ("notes", "k" * 500)])
def test_the_delete_of_a_row_whose_key_cannot_be_stored_settles_it(house: House, table: str, key: Any) -> None:
    house.send(unit(1, rows(table, {**AD, "id": key} if table == "ads" else {"id": key, "text": "t"})))
    assert house.letters.count() == 1
    house.send(unit(2, rows(table, deleted=[(key,)])))
    assert house.letters.count() == 0


def test_a_row_of_the_wrong_length_is_a_dead_letter(house: House) -> None:
    broken = rows("ads", AD)
    broken.rows.append((9,))
    house.send(unit(1, broken))
    (letter,) = house.letters.entries()
    assert (letter.subject, letter.reason) == ("ads/9", "the row has 1 values for 6 columns")
    assert house.row("ads", 1) is not None


def test_subjects_name_the_source_where_a_table_has_several() -> None:
    house = House(flows_of(table("ads", {"id": "int", "bid": "int"}, sources=("east", "west"))))
    for source in ("east", "west"):
        house.send(unit(1, rows("ads", {"id": 1, "bid": "bad"}, flows=house.flows), source=source))
    assert {letter.subject for letter in house.letters.entries()} == {"ads/east:1", "ads/west:1"}


def test_subjects_of_composite_keys_are_json_lists(house: House) -> None:
    house.send(unit(1, rows("ad_keywords", {"ad_id": 1, "word": "ü", "position": "bad"})))
    assert [letter.subject for letter in house.letters.entries()] == ['ad_keywords/[1, "ü"]']
