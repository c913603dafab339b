"""Each rung of the read ladder, and what is healed from which."""

from collections.abc import Callable

import pytest

from proto.errors import TooOldError
from repo.api import Transaction, Version
from repo.hbase.commit_table import COMMIT, INVALID, row_of
from repo.hbase.names import TableNames
from repo.hbase.repo import HbaseRepo
from repo.hbase.shadow_cells import decode_shadow, encode_shadow
from repo.oracle.port import CommitRequest
from tests.support.engines import DOCUMENTS, ITEMS, key_of
from tests.support.watched_hbase import Calls, Killed, World

X = key_of("x")
ROWS, COMMITS = TableNames().data(ITEMS), TableNames().commit_table
DATA, SHADOW = b"d:a", b"d:\x00\xc2\x80a\xc2\x80"


@pytest.fixture
def world() -> World:
    return World()


def left_by_a_dead_writer(world: World, value: bytes, after: str = "commit") -> int:
    """Returns the id."""
    world.put_and_die(value, after)
    return world.cells.get(ROWS, [X], [DATA])[X][DATA].timestamp


def value_of(repo: HbaseRepo, at: int | None = None) -> bytes | None:
    with repo.snapshot() if at is None else repo.snapshot_at(at) as snapshot:
        (version,) = snapshot.read(ITEMS, "a", [X])
    return version and version.value


def between(calls: Calls, name: str, other: Callable[[], None]) -> None:
    """Something happens before the next call of that name, once."""

    def before(number: int) -> None:
        if calls.names[number] == name:
            calls.before = lambda number: None
            other()

    calls.before = before


def test_a_shadow_cell_of_another_version_says_nothing(world: World) -> None:
    """The newest shadow cell belongs to the version below the tentative one."""
    committed = world.put(world.client(), x=b"committed")
    left_by_a_dead_writer(world, b"tentative", after="put")
    with world.client().snapshot() as snapshot:
        assert snapshot.read(ITEMS, "a", [X]) == [Version(committed, b"committed")]


def test_the_commit_table_tells_what_lacks_its_shadow_cell_and_it_is_healed(world: World) -> None:
    id = left_by_a_dead_writer(world, b"x")
    repo = world.client()
    assert value_of(repo) == b"x"
    assert SHADOW not in world.cells.get(ROWS, [X], [DATA, SHADOW])[X]
    repo.collect_garbage(0)
    shadow = world.cells.get(ROWS, [X], [SHADOW])[X][SHADOW]
    assert shadow.timestamp == id
    assert decode_shadow(shadow.value) == repo.last_timestamp()


def test_healing_waits_until_there_is_a_batch_and_does_not_fail_the_read(world: World) -> None:
    calls = Calls()
    repo = world.client(calls)
    for number in range(101):
        left_by_a_dead_writer(world, b"%d" % number)
        calls.names.clear()
        assert value_of(repo) == b"%d" % number
        assert (f"put-soon {ROWS}" in calls.names) == (number == 99), "one in a hundred heals, for all"


def test_what_an_omid_client_has_declared_dead_is_neither_visible_nor_healed(world: World) -> None:
    """F11: only from F:C without F:IT in the same row get."""
    world.put(world.client(), x=b"old")
    id = left_by_a_dead_writer(world, b"dead")
    world.cells.put(COMMITS, id, {row_of(id): {INVALID: b"\0\0\0\1"}})
    repo = world.client()
    assert value_of(repo) == b"old"
    repo.collect_garbage(0)
    assert world.cells.get(ROWS, [X], [SHADOW])[X][SHADOW].timestamp != id


def test_f7_the_shadow_cell_is_looked_at_again_when_the_commit_table_has_no_row(world: World) -> None:
    """Between the row read and the look into the commit table it is healed, and the row is swept."""
    id = left_by_a_dead_writer(world, b"x")
    commit_timestamp = world.client().last_timestamp()
    calls = Calls()
    reader = world.client(calls)

    def heal_and_sweep() -> None:
        world.cells.put(ROWS, id, {X: {SHADOW: encode_shadow(commit_timestamp)}})
        world.cells.delete(COMMITS, id, {row_of(id): [COMMIT]})

    between(calls, f"get {COMMITS}", heal_and_sweep)
    assert value_of(reader) == b"x"


def test_not_committed_is_never_remembered(world: World) -> None:
    """An id that was undecided when it was met first is visible to later snapshots once it is committed, though no
    shadow cell says so."""
    old = world.put(world.client(), x=b"old")
    reader, calls, seen = world.client(), Calls(), []

    def meet_it() -> None:
        world.put(world.client(), y=b"above its id")
        seen.append(value_of(reader))

    def die(number: int) -> None:
        if calls.names[number] == "commit":
            raise Killed

    between(calls, "commit", meet_it)
    calls.after = die
    with pytest.raises(Killed):
        world.put(world.client(calls), x=b"new")
    assert seen == [b"old"]
    assert value_of(reader) == b"new"
    assert value_of(reader, at=old) == b"old"


def test_versions_of_many_dead_writers_are_passed_over(world: World) -> None:
    world.put(world.client(), x=b"committed")
    for number in range(7):
        left_by_a_dead_writer(world, b"%d" % number, after="put")
    repo = world.client()
    assert value_of(repo) == b"committed"
    with repo.snapshot() as snapshot:
        assert [version.value for version in snapshot.history(ITEMS, "a", X)] == [b"committed"]
        assert [version.value for _, version in snapshot.scan(ITEMS, "a")] == [b"committed"]


def test_f12_the_watermark_is_looked_at_after_the_last_read(world: World) -> None:
    """Between the read and the look, the version that the snapshot needs is collected."""
    repo, calls = world.client(), Calls()
    world.put(repo, x=b"old")
    reader = world.client(calls)
    with reader.snapshot() as snapshot:
        newest = world.put(repo, x=b"new")
        between(calls, f"get {ROWS}", lambda: _collect(repo, newest))
        with pytest.raises(TooOldError):
            snapshot.read(ITEMS, "a", [X])


def _collect(repo: HbaseRepo, before: int) -> None:
    assert repo.collect_garbage(before) > 0


def test_the_newest_is_found_though_what_lies_below_is_collected_between_two_rungs(world: World) -> None:
    """A read of the newest has no snapshot that could be too old: it looks again. It meets the second version
    undecided; before it steps down, that is committed, and the first one collected."""
    documents, build = TableNames().data(DOCUMENTS), b"d:build"
    repo, calls = world.client(), Calls()
    first = Transaction(0)
    first.write(DOCUMENTS, X, "build", b"first")
    assert repo.commit([first])[0].committed
    (begun,) = world.oracle.begin()
    world.cells.put(documents, begun.id, {X: {build: b"second"}})

    def decide_and_collect() -> None:
        assert world.oracle.commit([CommitRequest(begun.id, begun.snapshot, (1,))])[0].timestamp
        assert repo.collect_garbage(world.put(repo, y=b"later")) == 1

    reader = world.client(calls)
    steps = [f"get {COMMITS}", f"get {documents}", f"get {documents}"]  # the table, the shadow cell again, one down

    def in_turn(number: int) -> None:
        if steps and calls.names[number] == steps[0]:
            del steps[0]
            if not steps:
                decide_and_collect()

    calls.before = in_turn
    with reader.snapshot() as snapshot:
        found = snapshot.read(DOCUMENTS, "build", [X])
    assert [version and version.value for version in found] == [b"second"]
