"""Index entries of references and collections: one a child, in the child's transaction, in the collection's order."""

from typing import Any

import pytest

from proto.events import RowChange
from proto.flows.model import Collection, Reference
from proto.lane import Lane
from repo.keys import index_prefix
from tests.support.shop import House, flows_of, rows, table, unit

AD = {"id": 1, "campaign_id": 7}


def children(house: House, index: str, *parent: Any) -> list[bytes]:
    """Child keys of a parent, in the index's order."""
    with house.repo.snapshot() as snapshot:
        (entries,) = snapshot.scan_prefixes(index, [index_prefix(house.key(*parent))], 100)
    return [child for _, child in entries]


def test_an_entry_is_there_while_the_parent_is_not(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    assert house.row("campaigns", 7) is None
    assert children(house, "ref:ads.campaign", 7) == [house.key(1)]


def test_a_move_takes_the_entry_along_and_names_both_parents(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.all_changes()
    house.send(unit(2, rows("ads", {**AD, "campaign_id": 8})))
    assert (children(house, "ref:ads.campaign", 7), children(house, "ref:ads.campaign", 8)) == ([], [house.key(1)])
    moved = {"campaign": (house.key(7), house.key(8))}
    assert house.changes(Lane.HIGH) == [RowChange("ads", house.key(1), ("campaign_id",), moved)]


def test_a_move_there_and_back_in_one_batch_leaves_one_entry(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.send(unit(2, rows("ads", {**AD, "campaign_id": 8})), unit(3, rows("ads", AD)))
    assert list(house.index("ref:ads.campaign").values()) == [house.key(1)]
    assert children(house, "ref:ads.campaign", 7) == [house.key(1)]


def test_null_means_no_entry(house: House) -> None:
    house.send(unit(1, rows("ads", {**AD, "campaign_id": None})))
    assert house.index("ref:ads.campaign") == {}
    house.send(unit(2, rows("ads", AD)))
    house.all_changes()
    house.send(unit(3, rows("ads", {**AD, "campaign_id": None})))
    assert house.index("ref:ads.campaign") == {}
    assert house.changes(Lane.HIGH)[0].references == {"campaign": (house.key(7), None)}


def test_shards_that_share_ids_share_no_entries(house: House) -> None:
    house.send(unit(1, rows("ads", AD)), unit(1, rows("ads", AD), source="other"))
    assert children(house, "ref:ads.campaign", 7) == [house.key(1)]
    assert len(house.index("ref:ads.campaign")) == 2


def test_a_collection_is_ordered_with_null_first_and_ties_by_key(house: House) -> None:
    words = {"late": 20, "early": -3, "none": None, "b": 5, "a": 5}
    house.send(
        unit(1, rows("ad_keywords", *[{"ad_id": 1, "word": word, "position": at} for word, at in words.items()]))
    )
    order = [house.key(1, word) for word in ("none", "early", "a", "b", "late")]
    assert children(house, "col:ads.keywords", 1) == order
    assert sorted(children(house, "ref:ad_keywords.ad", 1)) == sorted(order)


def test_a_changed_order_value_moves_the_entry_and_is_told(house: House) -> None:
    word = {"ad_id": 1, "word": "w", "position": 1}
    house.send(unit(1, rows("ad_keywords", word, {**word, "word": "v", "position": 2})))
    house.all_changes()
    house.send(unit(2, rows("ad_keywords", {**word, "position": 3})))
    assert children(house, "col:ads.keywords", 1) == [house.key(1, "v"), house.key(1, "w")]
    told = {"ads.keywords": (house.key(1), house.key(1))}
    assert house.changes(Lane.MEDIUM) == [RowChange("ad_keywords", house.key(1, "w"), ("position",), told)]


@pytest.mark.parametrize(
    ("kind", "ascending"),
    [
        ("int", [None, -(2**63), -1, 0, 2**63 - 1]),
        ("decimal", [None, "-100.5", "-2", "-0.01", "0", "0.5", "9", "10", "100.25"]),
        ("float", [None, -1e300, -0.5, 0.0, 1e-300, 2.0, 10.0]),
        ("str", [None, "", "a", "a\0", "aa", "b", "é"]),
        ("date", [None, "0001-01-01", "1999-12-31", "2026-11-22"]),
        ("datetime", [None, "2026-01-01 10:00:00", "2026-01-01 10:00:00.5", "2026-01-01 10:00:01", "2026-01-02"]),
        ("bool", [None, 0, 1]),
        ("bytes", [None, b"", b"\0", b"\1"]),
        ("json", [None, "1", "[2]"]),
    ],
)
@pytest.mark.parametrize("descending", [False, True])
def test_every_type_is_ordered_by_its_values(kind: str, ascending: list[Any], descending: bool) -> None:
    parent = table(
        "parents",
        {"id": "int"},
        collections=[Collection("all", "parents", "children", ("parent_id",), "at", descending)],
    )
    flows = flows_of(parent, table("children", {"id": "int", "parent_id": "int", "at": kind}))
    house = House(flows)
    given = [{"id": number, "parent_id": 1, "at": value} for number, value in enumerate(ascending)]
    house.send(unit(1, rows("children", *given[1::2], *given[::2], flows=flows)))
    assert house.letters.count() == 0
    wanted = [0, *range(len(ascending) - 1, 0, -1)] if descending else list(range(len(ascending)))
    assert children(house, "col:parents.all", 1) == [house.key(number) for number in wanted]


def test_a_reference_value_takes_the_type_of_the_parents_key() -> None:
    links = [Reference("parent", "children", ("a", "b"), "parents")]
    flows = flows_of(
        table("parents", {"x": "int", "y": "str"}, key=("x", "y")),
        table("children", {"id": "int", "a": "str", "b": "int"}, references=links),
    )
    house = House(flows)
    given = [{"id": 1, "a": "07", "b": 5}, {"id": 2, "a": "no number", "b": 5}, {"id": 3, "a": None, "b": 5}]
    house.send(unit(1, rows("parents", {"x": 7, "y": "5"}, flows=flows), rows("children", *given, flows=flows)))
    assert children(house, "ref:children.parent", 7, "5") == [house.key(1)]
    assert len(house.index("ref:children.parent")) == 1
    assert house.letters.count() == 0


def test_a_reference_over_columns_of_two_lanes_follows_each() -> None:
    links = [Reference("parent", "children", ("a", "b"), "parents")]
    flows = flows_of(
        table("parents", {"x": "int", "y": "int"}, key=("x", "y")),
        table("children", {"id": "int", "a": "int", "b": "int"}, lanes={"b": Lane.LOW}, references=links),
    )
    house = House(flows)
    house.send(unit(1, rows("children", {"id": 1, "a": 1, "b": 1}, flows=flows)))
    house.all_changes()
    house.send(unit(2, rows("children", {"id": 1, "a": 1, "b": 2}, flows=flows)))
    assert children(house, "ref:children.parent", 1, 2) == [house.key(1)]
    assert len(house.index("ref:children.parent")) == 1
    assert house.all_changes() == {
        Lane.LOW: [RowChange("children", house.key(1), ("b",), {"parent": (house.key(1, 1), house.key(1, 2))})]
    }
