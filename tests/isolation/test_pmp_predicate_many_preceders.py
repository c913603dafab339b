"""PMP: a predicate evaluated twice in a transaction selects the same rows."""

from repo.api import Snapshot
from tests.support.engines import ITEMS, Engine, key_of


def matching(snapshot: Snapshot) -> list[bytes]:
    """Rows whose value begins with an a."""
    return [key for key, version in snapshot.scan(ITEMS, "a") if (version.value or b"").startswith(b"a")]


def test_rows_that_come_go_or_change_do_not_move_a_predicate(engine: Engine) -> None:
    for number, value in enumerate((b"a0", b"b1", b"a2")):
        engine.put(number, value)
    with engine.repo.snapshot() as snapshot:
        before = matching(snapshot)
        engine.put(3, b"a3")
        engine.put(1, b"a1")
        engine.put(0, None)
        engine.put(2, b"b2")
        assert matching(snapshot) == before == [key_of(0), key_of(2)]
    with engine.repo.snapshot() as snapshot:
        assert matching(snapshot) == [key_of(1), key_of(3)]
