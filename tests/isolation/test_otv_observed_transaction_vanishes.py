"""OTV: once a part of a transaction has been observed, no part of it may vanish behind an older value."""

from tests.support.engines import ITEMS, Engine, key_of

X, Y = key_of("x"), key_of("y")


def test_who_sees_one_write_of_a_transaction_sees_all_and_goes_on_seeing_them(engine: Engine) -> None:
    first = engine.begin()
    first.write(ITEMS, X, "a", b"11")
    first.write(ITEMS, Y, "a", b"19")
    engine.commit(first)
    second = engine.begin()
    second.write(ITEMS, X, "a", b"12")
    second.write(ITEMS, Y, "a", b"18")
    with engine.repo.snapshot() as observer:
        seen = [observer.read(ITEMS, "a", [X])]
        engine.commit(second)
        seen += [observer.read(ITEMS, "a", [Y]), observer.read(ITEMS, "a", [X])]
    assert [version and version.value for (version,) in seen] == [b"11", b"19", b"11"]
    with engine.repo.snapshot() as later:
        found = later.read(ITEMS, "a", [Y]) + later.read(ITEMS, "a", [X])
    assert [version and version.value for version in found] == [b"18", b"12"]
