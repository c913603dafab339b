"""C2: an older unit after a newer one changes nothing, and neither does a replay; whatever the lanes do."""

import pytest

from proto.lane import Lane
from proto.ports.processor import DONE, Drop, Retry
from proto.record import Record
from tests.support.shop import House, rows, unit
from updater.version_guard import is_older, must_remember, row_versions

AD = {"id": 1, "bid": 100, "title": "t", "image": "abc"}


def test_an_older_unit_after_a_newer_one_changes_nothing(house: House) -> None:
    house.send(unit(5, rows("ads", AD)))
    house.all_changes()
    house.send(unit(3, rows("ads", {**AD, "bid": 3, "image": "old"}), lane=Lane.LOW, kind="chunk"))
    row = house.row("ads", 1)
    assert row is not None and (row["bid"], row["image"]) == (100, "abc")
    assert house.all_changes() == {}


def test_an_older_unit_behind_a_newer_one_in_the_same_batch_changes_nothing(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    newer = unit(5, rows("ads", {**AD, "bid": 5}))
    older = unit(3, rows("ads", {**AD, "bid": 3}), lane=Lane.LOW)
    house.send(newer, older)
    row = house.row("ads", 1)
    assert row is not None and row["bid"] == 5


def test_an_older_unit_changes_no_group_of_a_row_of_which_another_group_is_newer(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.send(unit(5, rows("ads", {**AD, "bid": 5})))  # the medium group stays at version 1
    house.send(unit(3, rows("ads", {**AD, "image": "in between"}), lane=Lane.LOW, kind="chunk"))
    row = house.row("ads", 1)
    assert row is not None and row["image"] == "abc"


def test_a_replay_writes_nothing_at_all(house: House) -> None:
    units = [
        unit(1, rows("ads", AD), rows("campaigns", {"id": 7})),
        unit(2, rows("ads", {**AD, "bid": 2}), rows("campaigns", deleted=[(7,)])),
        unit(3, rows("ads", {**AD, "bid": "bad"})),
    ]
    house.send(*units)
    before, commits = house.repo.last_timestamp(), house.repo.commits
    for again in units:
        house.send(again)
    house.send(*units)
    assert (house.repo.last_timestamp(), house.repo.commits) == (before, commits)


def test_a_comparison_of_equal_rows_writes_no_row(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.all_changes()
    house.send(unit(9, rows("ads", AD), lane=Lane.LOW, kind="chunk"))
    assert (house.versions("ads", "high", 1), house.versions("ads", "medium", 1)) == (1, 1)
    assert house.all_changes() == {}


def test_a_change_back_is_remembered_against_the_unit_in_between(house: House) -> None:
    """A at 1, B at 5 in a lane that lags, A again at 9: A stays, and nobody is notified of it."""
    house.send(unit(1, rows("ad_keywords", {"ad_id": 1, "word": "w", "position": 1}), lane=Lane.MEDIUM))
    house.all_changes()
    house.send(unit(9, rows("ad_keywords", {"ad_id": 1, "word": "w", "position": 1})))
    house.send(unit(5, rows("ad_keywords", {"ad_id": 1, "word": "w", "position": 2}), lane=Lane.MEDIUM))
    row = house.row("ad_keywords", 1, "w")
    assert row is not None and row["position"] == 1
    assert house.all_changes() == {}


def test_a_tombstone_holds_against_an_older_chunk_also_for_a_row_never_seen(house: House) -> None:
    house.send(unit(5, rows("ads", deleted=[(1,)])))
    house.send(unit(3, rows("ads", AD), lane=Lane.LOW, kind="chunk"))
    assert house.row("ads", 1) is None
    assert house.index("ref:ads.campaign") == {}
    assert house.all_changes() == {}


def test_a_delete_repeated_later_moves_the_tombstones_version(house: House) -> None:
    house.send(unit(1, rows("ads", AD)), unit(2, rows("ads", deleted=[(1,)])))
    house.send(unit(9, rows("ads", deleted=[(1,)])), unit(5, rows("ads", AD), lane=Lane.LOW))
    assert house.row("ads", 1) is None


def test_an_older_delete_is_passed_over(house: House) -> None:
    house.send(unit(5, rows("ads", AD)))
    house.send(unit(3, rows("ads", deleted=[(1,)]), lane=Lane.LOW))
    assert house.row("ads", 1) is not None


def test_a_unit_of_an_older_incarnation_is_dropped_and_a_new_one_begins_anew(house: House) -> None:
    house.send(unit(50, rows("ads", AD)), unit(50, lane=Lane.LOW, kind="done", names=("ads",)))
    house.send(unit(2, rows("ads", {**AD, "bid": 2}), incarnation=2))
    row = house.row("ads", 1)
    assert row is not None and row["bid"] == 2
    assert (house.state().incarnation, house.state().applied, house.state().bootstrapped) == (2, {0: 2}, ())
    (outcome,) = house.offer(unit(51, rows("ads", AD)))
    assert isinstance(outcome, Drop)


def test_a_lower_lane_waits_until_the_higher_one_is_applied_up_to_its_position(house: House) -> None:
    late = unit(4, rows("ads", AD), lane=Lane.LOW, kind="chunk", waits_for=3)
    behind = unit(2, rows("notes", {"id": "n"}), lane=Lane.LOW)
    outcomes = house.offer(late, behind, unit(2, rows("campaigns", {"id": 7})))
    assert [type(outcome) for outcome in outcomes] == [Retry, Retry, type(DONE)]
    assert (house.row("ads", 1), house.row("notes", "n")) == (None, None)
    house.send(unit(3), late, behind)
    assert house.row("ads", 1) and house.row("notes", "n")
    assert house.state().applied == {0: 3, 2: 4}


def test_the_medium_lane_counts_for_the_low_one(house: House) -> None:
    house.send(unit(3, rows("ad_keywords", {"ad_id": 1, "word": "w"}), lane=Lane.MEDIUM))
    house.send(unit(4, rows("notes", {"id": "n"}), lane=Lane.LOW, waits_for=3))
    (outcome,) = house.offer(unit(5, rows("ad_keywords"), lane=Lane.MEDIUM, waits_for=3))
    assert isinstance(outcome, Retry) and "position 3" in outcome.reason


@pytest.mark.parametrize(
    ("offered", "stored", "older"),
    [((1, 5), (1, 5), False), ((1, 4), (1, 5), True), ((2, 1), (1, 5), False), ((1, 9), (2, 1), True)],
)
def test_the_incarnation_comes_before_the_position(
    offered: tuple[int, int], stored: tuple[int, int], older: bool
) -> None:
    assert is_older(offered, stored) is older


def test_only_a_newer_stream_unit_has_to_be_remembered() -> None:
    assert must_remember("stream", (1, 2), (1, 1))
    assert not must_remember("stream", (1, 2), (1, 2))
    assert not must_remember("chunk", (1, 2), (1, 1))


def test_a_row_is_as_new_as_the_newest_of_its_groups() -> None:
    old, new = Record(1, [], (1, 2)), Record(1, [], (1, 10))
    assert row_versions([[old, new, None, None], [new, old, old, None]]) == [(1, 10), (1, 10), (1, 2), (0, 0)]
