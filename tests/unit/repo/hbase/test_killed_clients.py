"""A client is killed before, or after, any one of its calls: what it wrote is there whole or not at all, for ever, and
it stands in nobody's way."""

from collections.abc import Iterator

import pytest

from repo.api import Transaction
from tests.support.engines import DOCUMENTS, ITEMS, LINKS, key_of
from tests.support.watched_hbase import Calls, Killed, World

X, Y, Z, W = (key_of(name) for name in "xyzw")
KEYS = [X, Y, Z, W]


def kills(which: str, at: int) -> Calls:
    calls = Calls()

    def kill(number: int) -> None:
        if number == at:
            raise Killed

    setattr(calls, which, kill)
    return calls


def points(which: str) -> Iterator[tuple[World, Calls]]:
    """A world for each call of the batch in which the client dies there; ends when it gets through."""
    for at in range(1000):
        world = World()
        world.put(world.client(), x=b"old", z=b"old")
        calls = kills(which, at)
        try:
            write(world, calls)
        except Killed:
            yield world, calls
        else:
            assert at > 8, "it has made some calls"
            return


def write(world: World, calls: Calls) -> None:
    """A batch of which the third conflicts: the others come again, in two halves."""
    repo = world.client(calls)
    one, two, three, four = (Transaction(repo.last_timestamp()) for _ in range(4))
    for transaction, key in ((one, X), (two, Y), (three, Z), (four, W)):
        transaction.write(ITEMS, key, "a", b"new")
        transaction.write(DOCUMENTS, key, "content", b"new")
        transaction.write_index(LINKS, key, b"new")
    world.put(world.client(), z=b"theirs")
    repo.commit([one, two, three, four])


def seen(world: World) -> dict[bytes, tuple[object, ...]]:
    """By row, what a client that has just come finds: item, document, index entry."""
    with world.client().snapshot() as snapshot:
        items, documents = snapshot.read(ITEMS, "a", KEYS), snapshot.read(DOCUMENTS, "content", KEYS)
        entries = snapshot.scan_prefixes(LINKS, KEYS, 10)
    return {
        key: (item and item.value, document and document.value, [value for _, value in entry])
        for key, item, document, entry in zip(KEYS, items, documents, entries, strict=True)
    }


@pytest.mark.parametrize("which", ["before", "after"])
def test_a_transaction_is_whole_or_not_there_wherever_its_client_dies(which: str) -> None:
    new, outcomes = (b"new", b"new", [b"new"]), set()
    for world, calls in points(which):
        found = seen(world)
        where = f"killed {which} {calls.names[-1]}, call {len(calls.names)}"
        assert found[X] in ((b"old", None, []), new), where
        assert found[Y] in ((None, None, []), new), where
        assert found[Z] in ((b"old", None, []), (b"theirs", None, [])), where
        assert found[W] in ((None, None, []), new), where
        outcomes.add((found[X] == new, found[Y] == new, found[W] == new))

        world.clock.ms += 61_000  # no oracle would commit it any more
        assert seen(world) == found, where
        world.take_over()
        assert seen(world) == found, where
        world.put(world.client(), x=b"next", y=b"next", z=b"next", w=b"next")
        assert {value[0] for value in seen(world).values()} == {b"next"}, where
    assert outcomes == {(False, False, False), (True, True, True)}, "the halves are decided in one frame"


@pytest.mark.parametrize("which", ["before", "after"])
def test_garbage_collection_goes_on_wherever_a_client_died(which: str) -> None:
    for world, calls in points(which):
        before = seen(world)
        world.clock.ms += 3_600_000
        newest = world.put(world.client(), other=b"x")
        collector = world.client()
        for _ in range(4):
            collector.collect_garbage(newest)
            assert seen(world) == before, f"killed {which} {calls.names[-1]}, call {len(calls.names)}"


@pytest.mark.parametrize("which", ["before", "after"])
def test_readers_are_right_wherever_a_collector_dies(which: str) -> None:
    for at in range(1000):
        world = World()
        repo = world.client()
        for value in (b"1", b"2", b"3"):
            world.put(repo, x=value, y=value)
        world.put(repo, y=None)
        world.clock.ms += 3_600_000
        newest = world.put(repo, z=b"z")
        calls = kills(which, at)
        try:
            collector = world.client(calls)
            for _ in range(3):
                collector.collect_garbage(newest)
        except Killed:
            pass
        with world.client().snapshot() as snapshot:
            found = [version and version.value for version in snapshot.read(ITEMS, "a", [X, Y, Z])]
        assert found == [b"3", None, b"z"], f"killed {which} {calls.names[-1]}, call {len(calls.names)}"
        if len(calls.names) <= at:
            break
    assert at > 20
    world.client().collect_garbage(newest)
