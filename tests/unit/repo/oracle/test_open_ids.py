"""Open ids against a set."""

from hypothesis import given
from hypothesis import strategies as st

from repo.oracle.open_ids import OpenIds

STEPS = st.lists(st.tuples(st.sampled_from(["give", "take", "expire"]), st.integers(1, 6)), max_size=80)


@given(STEPS)
def test_as_a_set_would(steps: list[tuple[str, int]]) -> None:
    ids, model, last = OpenIds(), set[int](), 0
    for step, number in steps:
        if step == "give":
            first, last = last + number, last + number + 2
            ids.give(range(first, first + 3))
            model |= {first, first + 1, first + 2}
        elif step == "take":
            assert ids.take(last - number) == (last - number in model)
            model.discard(last - number)
        else:
            ids.expire(last - number)
            model = {id for id in model if id >= last - number}
        assert [id for id in range(last + 3) if id in ids] == sorted(model)


def test_what_has_expired_takes_no_room() -> None:
    ids = OpenIds()
    for first in range(0, 100_000, 10):
        ids.give(range(first, first + 10))
        ids.expire(first - 100)
    assert len(ids._ids) == len(ids._open) < 300
