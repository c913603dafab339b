"""A comparison finds deletes that the change log missed."""

from proto.codec import source_prefix, successor
from proto.events import RowChange, Unit
from proto.lane import Lane
from tests.support.shop import House, rows, unit

END = successor(source_prefix("shop")) or b""


def comparison(position: int, after: bytes, through: bytes, *there: int) -> Unit:
    found = rows("campaigns", *[{"id": number} for number in there])
    return unit(position, found, lane=Lane.LOW, kind="chunk", span=(after, through))


def test_rows_of_the_span_that_a_chunk_does_not_hold_are_gone(house: House) -> None:
    house.send(unit(1, rows("campaigns", *[{"id": number} for number in range(6)])))
    house.send(unit(1, rows("campaigns", {"id": 3}), source="other"))
    house.all_changes()
    house.send(comparison(2, house.key(1), house.key(4), 2, 4))
    assert [number for number in range(6) if house.row("campaigns", number)] == [0, 1, 2, 4, 5]
    assert house.row("campaigns", 3, source="other")
    assert house.all_changes() == {Lane.LOW: [RowChange("campaigns", house.key(3))]}
    house.send(comparison(3, source_prefix("shop"), END))
    assert [number for number in range(6) if house.row("campaigns", number)] == []
    assert house.row("campaigns", 3, source="other")


def test_rows_that_are_newer_than_the_chunk_stay(house: House) -> None:
    house.send(unit(5, rows("campaigns", {"id": 1})), unit(6, rows("campaigns", {"id": 2})))
    house.send(comparison(5, source_prefix("shop"), END))
    assert house.row("campaigns", 2)
    assert not house.row("campaigns", 1), "deletes without triggers move no position: equal is gone, too"


def test_a_bad_row_that_is_there_is_not_gone(house: House) -> None:
    house.send(unit(1, rows("campaigns", {"id": 1, "budget": 1})))
    bad = rows("campaigns", {"id": 1, "budget": "bad"})
    house.send(unit(2, bad, lane=Lane.LOW, kind="chunk", span=(source_prefix("shop"), END)))
    assert house.row("campaigns", 1) and house.letters.count() == 1


def test_a_row_of_the_same_batch_can_be_gone_too(house: House) -> None:
    early = unit(1, rows("campaigns", {"id": 1}), lane=Lane.LOW)
    house.send(early, comparison(2, source_prefix("shop"), END))
    assert house.row("campaigns", 1) is None


def test_many_rows_are_looked_through(house: House) -> None:
    house.send(unit(1, rows("campaigns", *[{"id": number} for number in range(2500)])))
    house.send(comparison(2, source_prefix("shop"), END, *range(0, 2500, 2)))
    with house.repo.snapshot() as snapshot:
        keys = [house.key(number) for number in range(2500)]
        reader = house.layouts["campaigns"].groups[0].reader
        there = [reader.values(version) is not None for version in snapshot.read("campaigns", "high", keys)]
    assert there == [number % 2 == 0 for number in range(2500)]


def test_a_comparison_that_finds_everything_writes_no_row(house: House) -> None:
    house.send(unit(1, rows("campaigns", {"id": 1})), unit(2, rows("campaigns", deleted=[(2,)])))
    house.repo.staged.clear()
    house.send(comparison(3, source_prefix("shop"), END, 1))
    assert house.repo.staged == {"_sources"}
