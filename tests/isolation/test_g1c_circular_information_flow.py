"""G1c: two transactions must not each see what the other wrote."""

from repo.api import Transaction
from tests.support.engines import ITEMS, Engine, key_of

X, Y = key_of("x"), key_of("y")


def test_neither_of_two_concurrent_transactions_sees_the_other(engine: Engine) -> None:
    engine.put("x", b"1")
    engine.put("y", b"1")
    with engine.repo.snapshot() as of_first, engine.repo.snapshot() as of_second:
        first, second = Transaction(of_first.timestamp), Transaction(of_second.timestamp)
        first.write(ITEMS, X, "a", b"first")
        second.write(ITEMS, Y, "a", b"second")
        assert engine.commit(first)[0].committed
        (x,) = of_second.read(ITEMS, "a", [X])
        assert engine.commit(second)[0].committed
        (y,) = of_first.read(ITEMS, "a", [Y])
    assert x is not None and x.value == b"1"
    assert y is not None and y.value == b"1"
