"""G1a: what an aborted transaction wrote is never read."""

from tests.support.engines import ITEMS, Engine, key_of

X, Y = key_of("x"), key_of("y")


def test_a_transaction_that_lost_is_visible_to_nobody(engine: Engine) -> None:
    engine.put("x", b"1")
    loser = engine.begin()
    loser.write(ITEMS, Y, "a", b"aborted")
    loser.write(ITEMS, X, "a", b"aborted")
    engine.put("x", b"2")
    with engine.repo.snapshot() as during:
        assert not engine.commit(loser)[0].committed
        engine.put("z", b"later")
        with engine.repo.snapshot() as after:
            for snapshot in (during, after):
                x, y = snapshot.read(ITEMS, "a", [X, Y])
                assert x is not None and x.value == b"2"
                assert y is None
                assert snapshot.history(ITEMS, "a", Y) == []
                assert Y not in [key for key, _ in snapshot.scan(ITEMS, "a")]
