"""The rules of transactions.md that lie on the port: N2, N4, N5. Each fails when its line is taken out."""

from repo.api import OutcomeKind
from tests.support.engines import DOCUMENTS, ITEMS, LINKS, Engine, key_of

PARENT, CHILD, DOCUMENT = key_of("parent"), key_of("child"), key_of("document")


def test_n2_a_fan_out_at_a_snapshot_not_below_the_change_meets_every_child(engine: Engine) -> None:
    """A child that moved in before the parent changed is found, whenever the fan-out's chunk is read."""
    move = engine.begin()
    move.write(ITEMS, CHILD, "a", b"moved")
    move.write_index(LINKS, PARENT + CHILD, CHILD)
    engine.commit(move)
    change = engine.begin()
    change.write(ITEMS, PARENT, "a", b"changed")
    (changed,) = engine.commit(change)
    with engine.repo.snapshot(at_least=changed.commit_timestamp) as snapshot:
        assert snapshot.timestamp >= changed.commit_timestamp
        (entries,) = snapshot.scan_prefixes(LINKS, [PARENT], 10)
        assert [child for _, child in entries] == [CHILD]
        assert snapshot.read(ITEMS, "a", [CHILD])[0] is not None


def test_n4_a_change_of_a_row_found_by_the_build_itself_is_not_lost(engine: Engine) -> None:
    """The document reads g, g changes and finds no reference, the document commits the reference: it must conflict."""
    found_row = key_of("g")
    engine.put("g", b"old")
    build = engine.begin()
    build.check(ITEMS, found_row, "a")
    build.write(DOCUMENTS, DOCUMENT, "content", b"made of the old g")
    build.write_index(LINKS, found_row + DOCUMENT, DOCUMENT)

    change = engine.begin()
    change.write(ITEMS, found_row, "a", b"new")
    (changed,) = engine.commit(change)
    with engine.repo.snapshot(at_least=changed.commit_timestamp) as snapshot:
        assert snapshot.scan_prefixes(LINKS, [found_row], 10) == [[]], "the change finds no document to build again"

    (outcome,) = engine.commit(build)
    assert outcome.kind is OutcomeKind.CONFLICT
    again = engine.begin(at_least=outcome.commit_timestamp)
    assert again.snapshot_timestamp >= changed.commit_timestamp


def test_n5_a_build_that_changed_nothing_still_beats_a_slower_older_one(engine: Engine) -> None:
    slow = engine.begin()
    engine.put("input", b"changed")
    fast = engine.begin()
    fast.write(DOCUMENTS, DOCUMENT, "build", b"built_at only: the content is the same")
    assert engine.commit(fast)[0].committed
    slow.write(DOCUMENTS, DOCUMENT, "build", b"older built_at")
    slow.write(DOCUMENTS, DOCUMENT, "content", b"made of the old input")
    (outcome,) = engine.commit(slow)
    assert outcome.kind is OutcomeKind.CONFLICT
    assert engine.get("document", "content", DOCUMENTS) is None
