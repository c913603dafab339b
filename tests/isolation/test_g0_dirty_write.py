"""G0: writes of two transactions must not interleave: x from one and y from the other."""

from tests.support.engines import ITEMS, Engine, key_of

X, Y = key_of("x"), key_of("y")


def test_of_two_writers_of_the_same_cells_one_wins_whole(engine: Engine) -> None:
    first, second = engine.begin(), engine.begin()
    first.write(ITEMS, X, "a", b"first")
    second.write(ITEMS, X, "a", b"second")
    second.write(ITEMS, Y, "a", b"second")
    first.write(ITEMS, Y, "a", b"first")
    assert [engine.commit(one)[0].committed for one in (second, first)] == [True, False]
    assert (engine.get("x"), engine.get("y")) == (b"second", b"second")


def test_so_it_is_when_both_come_in_one_list(engine: Engine) -> None:
    first, second = engine.begin(), engine.begin()
    for one, value in ((first, b"first"), (second, b"second")):
        for key in (X, Y) if one is first else (Y, X):
            one.write(ITEMS, key, "a", value)
    assert [outcome.committed for outcome in engine.commit(first, second)] == [True, False]
    assert (engine.get("x"), engine.get("y")) == (b"first", b"first")
