"""Calls are cut between rows, by size and number, and nothing is lost or reordered."""

from hypothesis import given
from hypothesis import strategies as st

from repo.hbase.batches import get_batches, put_batches

ROW = st.binary(min_size=1, max_size=5)


@given(st.dictionaries(ROW, st.dictionaries(st.just(b"d:a") | st.just(b"d:b"), st.binary(max_size=30), max_size=2)))
def test_puts(rows: dict[bytes, dict[bytes, bytes]]) -> None:
    batches = list(put_batches(rows, bytes_max=50))
    assert [item for batch in batches for item in batch.items()] == list(rows.items())
    for batch in batches:
        sizes = [len(row) + sum(len(name) + len(value) for name, value in batch[row].items()) for row in batch]
        assert len(batch) == 1 or sum(sizes) <= 50


@given(st.lists(ROW))
def test_gets(rows: list[bytes]) -> None:
    batches = list(get_batches(rows, rows_max=4, bytes_max=10))
    assert [row for batch in batches for row in batch] == rows
    assert all(len(batch) <= 4 and sum(map(len, batch)) <= 10 for batch in batches)


def test_no_call_for_nothing_and_as_few_as_possible() -> None:
    assert list(put_batches({})) == list(get_batches([])) == []
    assert [len(batch) for batch in get_batches([b"r"] * 10, rows_max=4)] == [4, 4, 2]
    assert [list(batch) for batch in put_batches({b"a": {}, b"b": {}, b"c": {}}, bytes_max=2)] == [[b"a", b"b"], [b"c"]]
