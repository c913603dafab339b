"""What the oracle's state cell rests on."""

from repo.hbase.cells import Stored
from tests.contract.cells.conftest import Served

STATE = b"d:state"


def swap(served: Served, expected: bytes | None, value: bytes) -> bool:
    return served.cells.check_and_put(served.table, b"r", STATE, expected, value)


def state(served: Served) -> Stored:
    return served.cells.get(served.table, [b"r"], [STATE])[b"r"][STATE]


def test_a_chain_of_swaps(served: Served) -> None:
    assert not swap(served, b"zero", b"one")
    assert swap(served, None, b"one")
    assert not swap(served, None, b"other")
    assert swap(served, b"one", b"two")
    assert not swap(served, b"one", b"two")
    assert state(served).value == b"two"


def test_an_empty_value_counts_as_none(served: Served) -> None:
    assert swap(served, b"", b"one")
    assert not swap(served, b"", b"two")
    served.cells.put(served.table, 2**62, {b"r": {STATE: b""}})
    assert swap(served, None, b"three")
    assert state(served).value == b"three"


def test_it_writes_at_the_servers_time_or_over_what_is_newer(served: Served) -> None:
    served.cells.put(served.table, 5, {b"r": {STATE: b"old"}})
    assert swap(served, b"old", b"one")
    assert state(served).timestamp > 5
    served.cells.put(served.table, 2**62, {b"r": {STATE: b"new"}})
    assert swap(served, b"new", b"two")
    assert state(served) == Stored(2**62, b"two")


def test_below_a_delete_it_answers_yes_and_nothing_is_seen(served: Served) -> None:
    served.cells.put(served.table, 2**62, {b"r": {STATE: b"one"}})
    served.cells.delete(served.table, 2**62, {b"r": [STATE]})
    assert swap(served, None, b"two")
    assert served.cells.get(served.table, [b"r"], [STATE]) == {}
