"""G1b: of a transaction that writes a cell several times, only the last value is read."""

from tests.support.engines import ITEMS, Engine, key_of

X = key_of("x")


def test_only_the_final_value_is_ever_visible(engine: Engine) -> None:
    engine.put("x", b"before")
    writer = engine.begin()
    writer.write(ITEMS, X, "a", b"intermediate")
    assert engine.get("x") == b"before"
    writer.write(ITEMS, X, "a", b"final")
    assert engine.get("x") == b"before"
    engine.commit(writer)
    assert engine.get("x") == b"final"
    with engine.repo.snapshot() as snapshot:
        assert [version.value for version in snapshot.history(ITEMS, "a", X)] == [b"final", b"before"]
