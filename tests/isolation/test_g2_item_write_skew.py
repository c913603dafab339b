"""G2-item (write skew): allowed under snapshot isolation; prevented where a transaction checks what it read."""

from repo.api import Transaction
from tests.support.engines import ITEMS, Engine, key_of

X, Y = key_of("x"), key_of("y")


def withdraw(engine: Engine, key: bytes, checked: bytes | None) -> Transaction:
    """Allowed as long as x + y stays positive; both are read, one is written."""
    with engine.repo.snapshot() as snapshot:
        x, y = snapshot.read(ITEMS, "a", [X, Y])
        transaction = Transaction(snapshot.timestamp)
    assert x is not None and y is not None
    assert int(x.value or b"0") + int(y.value or b"0") - 40 > 0
    transaction.write(ITEMS, key, "a", b"-10")
    if checked is not None:
        transaction.check(ITEMS, checked, "a")
    return transaction


def balance(engine: Engine) -> int:
    return int(engine.get("x") or b"0") + int(engine.get("y") or b"0")


def test_without_checks_both_commit(engine: Engine) -> None:
    engine.put("x", b"30")
    engine.put("y", b"30")
    first, second = withdraw(engine, X, None), withdraw(engine, Y, None)
    assert engine.commit(first)[0].committed
    assert engine.commit(second)[0].committed
    assert balance(engine) == -20


def test_with_checks_only_one_commits(engine: Engine) -> None:
    for in_one_list in (False, True):
        engine.put("x", b"30")
        engine.put("y", b"30")
        first, second = withdraw(engine, X, Y), withdraw(engine, Y, X)
        outcomes = engine.commit(first, second) if in_one_list else engine.commit(first) + engine.commit(second)
        assert [outcome.committed for outcome in outcomes] == [True, False]
        assert balance(engine) == 20
