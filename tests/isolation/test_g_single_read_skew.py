"""G-single (read skew): a transaction must not read x before and y after another one changed both."""

from repo.api import Transaction
from tests.support.engines import DOCUMENTS, ITEMS, Engine, key_of

X, Y = key_of("x"), key_of("y")


def transfer(engine: Engine, x: bytes, y: bytes) -> None:
    transaction = engine.begin()
    transaction.write(ITEMS, X, "a", x)
    transaction.write(DOCUMENTS, Y, "content", y)
    assert engine.commit(transaction)[0].committed


def test_reads_of_one_snapshot_are_of_one_moment(engine: Engine) -> None:
    transfer(engine, b"50", b"50")
    with engine.repo.snapshot() as snapshot:
        (x,) = snapshot.read(ITEMS, "a", [X])
        transfer(engine, b"25", b"75")
        (y,) = snapshot.read(DOCUMENTS, "content", [Y])
        ((_, scanned),) = snapshot.scan(DOCUMENTS, "content")
    assert x is not None and y is not None
    assert (x.value, y.value, scanned.value) == (b"50", b"50", b"50")


def test_a_write_that_follows_from_a_skewed_read_is_refused(engine: Engine) -> None:
    transfer(engine, b"50", b"50")
    with engine.repo.snapshot() as snapshot:
        late = Transaction(snapshot.timestamp)
    transfer(engine, b"25", b"75")
    late.delete(DOCUMENTS, Y, "content")
    assert not engine.commit(late)[0].committed
    assert engine.get("y", "content", DOCUMENTS) == b"75"
