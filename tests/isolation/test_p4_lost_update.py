"""P4: of two transactions that read a cell and write it, none overwrites what it has not seen."""

from repo.api import Transaction
from tests.support.engines import ITEMS, Engine, key_of

X = key_of("x")


def increment(engine: Engine, at_least: int = 0) -> Transaction:
    with engine.repo.snapshot(at_least) as snapshot:
        (version,) = snapshot.read(ITEMS, "a", [X])
        transaction = Transaction(snapshot.timestamp)
    value = int(version.value or b"0") if version else 0
    transaction.write(ITEMS, X, "a", b"%d" % (value + 1))
    return transaction


def test_the_second_update_conflicts(engine: Engine) -> None:
    engine.put("x", b"1")
    first, second = increment(engine), increment(engine)
    assert engine.commit(first)[0].committed
    assert not engine.commit(second)[0].committed
    assert engine.get("x") == b"2"


def test_no_update_of_many_is_lost_in_whatever_lists_they_come(engine: Engine) -> None:
    done, tries = 0, 0
    waiting = [increment(engine) for _ in range(10)]
    while waiting:
        tries += 1
        size = 1 + tries % 3
        now, waiting = waiting[:size], waiting[size:]
        outcomes = engine.commit(*now)
        done += sum(outcome.committed for outcome in outcomes)
        waiting += [increment(engine, outcome.commit_timestamp) for outcome in outcomes if not outcome.committed]
    assert done == 10
    assert engine.get("x") == b"10"


def test_an_update_of_a_row_that_was_not_there_is_not_lost_either(engine: Engine) -> None:
    first, second = increment(engine), increment(engine)
    assert [outcome.committed for outcome in engine.commit(first, second)] == [True, False]


def test_a_deletion_is_not_lost(engine: Engine) -> None:
    engine.put("x", b"1")
    update = increment(engine)
    engine.put("x", None)
    assert not engine.commit(update)[0].committed
    assert engine.get("x") is None
