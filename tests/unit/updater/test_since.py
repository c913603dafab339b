"""N3: for each column the commit timestamp of its last change, although a writer can't know its own."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.shop import House, rows, unit


def test_carried_over_columns_keep_their_commit_timestamp(house: House) -> None:
    house.send(unit(1, rows("campaigns", {"id": 7, "name": "a", "budget": 1})))
    first = house.repo.last_timestamp()
    house.send(unit(2, rows("campaigns", {"id": 7, "name": "b", "budget": 1})))
    second = house.repo.last_timestamp()
    assert house.last_changes("campaigns", "high", 7) == {"id": first, "name": second, "budget": first}
    record = house.record("campaigns", "high", 7)
    assert record is not None and (record.base, record.since) == (first, {1: 0})
    house.send(unit(3, rows("campaigns", {"id": 7, "name": "b", "budget": 2})))
    third = house.repo.last_timestamp()
    assert house.last_changes("campaigns", "high", 7) == {"id": first, "name": second, "budget": third}


def test_several_units_of_one_transaction_are_one_version(house: House) -> None:
    house.send(unit(1, rows("campaigns", {"id": 7, "name": "a"})), unit(2, rows("campaigns", {"id": 7, "name": "b"})))
    only = house.repo.last_timestamp()
    assert house.last_changes("campaigns", "high", 7) == {"id": only, "name": only, "budget": only}


def test_parking_changes_no_column(house: House) -> None:
    house.send(unit(1, rows("campaigns", {"id": 7, "name": "a"})))
    first = house.repo.last_timestamp()
    house.send(unit(2, rows("campaigns", {"id": 7, "name": "a", "budget": "much"})))
    house.send(unit(3, rows("campaigns", {"id": 7, "name": "a", "budget": 3})))
    last = house.repo.last_timestamp()
    assert house.last_changes("campaigns", "high", 7) == {"id": first, "name": first, "budget": last}


_ROW = st.one_of(st.none(), st.tuples(st.sampled_from("ab"), st.sampled_from([1, 2, "bad"])))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(_ROW, min_size=1, max_size=3), max_size=12))
def test_the_last_change_of_each_column_is_that_of_a_model(batches: list[list[tuple[str, int | str] | None]]) -> None:
    house = House()
    stored: dict[str, object] | None = None
    model: dict[str, int] = {}
    position = 0
    for batch in batches:
        units = []
        timestamp = house.repo.last_timestamp() + 1
        for row in batch:
            position += 1
            if row is None:
                units.append(unit(position, rows("campaigns", deleted=[(7,)])))
                stored = None
                continue
            given_row = {"id": 7, "name": row[0], "budget": row[1]}
            units.append(unit(position, rows("campaigns", given_row)))
            if row[1] == "bad":
                continue
            now = {**given_row, "budget": str(row[1])}
            for name, value in now.items():
                if stored is None or stored[name] != value:
                    model[name] = timestamp
            stored = now
        house.send(*units)
        assert house.row("campaigns", 7) == stored
        if stored is not None:
            assert house.last_changes("campaigns", "high", 7) == model
