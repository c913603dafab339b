"""What the LMDB engine adds to the port: groups, slices, and what outlives a process (leases, positions, numbers)."""

from contextlib import ExitStack
from mmap import PAGESIZE
from os import SEEK_END
from pathlib import Path

import pytest

from proto.errors import CorruptionError, SettingsError, TooOldError, UnavailableError
from repo.api import OutcomeKind, Transaction
from repo.lmdb import snapshot as snapshot_module
from repo.lmdb import walk
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.repo import LmdbRepo
from tests.support.engines import DOCUMENTS, ITEMS, LINKS, TABLES, Engine, ManualClock, key_of, lmdb_engine


def environment_of(engine: Engine) -> LmdbEnvironment:
    assert isinstance(engine.repo, LmdbRepo)
    return engine.repo._environment


def entries(engine: Engine, database: str) -> int:
    environment = environment_of(engine)
    with environment.read() as transaction:
        return transaction.stat(environment.database(database))["entries"]


def test_a_list_of_any_length_is_one_durable_commit(engine: Engine) -> None:
    before = environment_of(engine).commits
    members = [engine.begin() for _ in range(500)]
    for number, member in enumerate(members):
        member.write(ITEMS, key_of(number), "a", b"x")
        member.write(DOCUMENTS, key_of(number), "content", b"x" * 500)
        member.write(DOCUMENTS, key_of(number), "build", b"x")
        member.write_index(LINKS, key_of(number), b"")
        member.notify("topic", 0, b"x")
    assert all(outcome.committed for outcome in engine.commit(*members))
    assert environment_of(engine).commits == before + 1


def test_a_group_sees_its_own_commits_and_conflicts_with_them(engine: Engine) -> None:
    stale = engine.begin()
    stale.write(ITEMS, key_of(1), "a", b"stale")
    with environment_of(engine).group():
        timestamp = engine.put(1, b"mine")
        assert engine.repo.last_timestamp() == timestamp
        assert engine.get(1) == b"mine"
        assert engine.commit(stale)[0].kind is OutcomeKind.CONFLICT
        assert engine.put(1, b"mine again") > timestamp
    assert engine.get(1) == b"mine again"


def test_an_undone_group_leaves_no_row_no_message_no_timestamp(engine: Engine) -> None:
    before = engine.put(1, b"before")
    with pytest.raises(KeyError), environment_of(engine).group():
        transaction = engine.begin()
        transaction.write(ITEMS, key_of(1), "a", b"undone")
        transaction.write(DOCUMENTS, key_of(1), "content", b"undone" * 100)
        transaction.notify("topic", 0, b"undone")
        assert engine.commit(transaction)[0].committed
        raise KeyError
    assert engine.get(1) == b"before"
    assert engine.repo.last_timestamp() == before
    assert engine.messages("topic", 0) == []
    assert entries(engine, "values") == 0


def test_tables_are_not_declared_inside_a_group(engine: Engine) -> None:
    with pytest.raises(SettingsError, match="group"), environment_of(engine).group():
        engine.repo.declare(TABLES)


def test_a_snapshot_that_is_open_holds_no_lmdb_transaction(engine: Engine) -> None:
    engine.put(1, b"x")
    state = environment_of(engine)._store.local.state
    with engine.repo.snapshot() as snapshot:
        snapshot.read(ITEMS, "a", [key_of(1)])
        snapshot.scan(ITEMS, "a")
        assert state.busy == 0


@pytest.fixture
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_module, "_KEYS_A_SLICE", 3)
    monkeypatch.setattr(walk, "_LOOKED_AT_MAX", 4)


@pytest.mark.usefixtures("short_slices")
@pytest.mark.parametrize(("table", "group"), [(ITEMS, "b"), (DOCUMENTS, "content"), (DOCUMENTS, "build")])
def test_a_call_that_takes_many_slices_gives_what_one_would(engine: Engine, table: str, group: str) -> None:
    for round_number in range(3):
        transaction = engine.begin()
        for number in range(40):
            transaction.write(table, key_of(number), group, b"%d %d" % (round_number, number))
            transaction.write(ITEMS, key_of(number), "a", b"x")
            if number % 3 == round_number:
                transaction.delete(table, key_of(number), group)
        engine.commit(transaction)
    live = [number for number in range(40) if number % 3 != 2]
    with engine.repo.snapshot() as snapshot:
        found = snapshot.read(table, group, [key_of(number) for number in range(40)])
        assert [at for at, version in enumerate(found) if version and version.value == b"2 %d" % at] == live
        assert [key for key, _ in snapshot.scan(table, group)] == [key_of(number) for number in live]
        assert [key for key, _ in snapshot.scan(table, group, limit=7)] == [key_of(number) for number in live[:7]]
        bounds = snapshot.partitions(table, 4)
        keys = [key for after, before in bounds for key, _ in snapshot.scan(table, group, after, before)]
        assert keys == [key_of(number) for number in live]


@pytest.mark.usefixtures("short_slices")
def test_garbage_collection_between_two_slices_is_noticed(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    transaction = engine.begin()
    for number in range(20):
        transaction.write(ITEMS, key_of(number), "a", b"old")
    engine.commit(transaction)
    rows, slices = walk.rows, []

    def rows_and_then_garbage_collection(*arguments: object) -> walk.Place | None:
        place = rows(*arguments)  # type: ignore[arg-type]
        slices.append(place)
        if len(slices) == 1:
            engine.repo.collect_garbage(engine.put(19, None))
        return place

    monkeypatch.setattr(walk, "rows", rows_and_then_garbage_collection)
    with engine.repo.snapshot() as snapshot, pytest.raises(TooOldError):
        snapshot.scan(ITEMS, "a")
    assert len(slices) == 2


def test_garbage_collection_removes_the_values_that_lie_apart(engine: Engine) -> None:
    for number in range(5):
        engine.put(1, b"%d" % number * 500, "content", DOCUMENTS)
    assert entries(engine, "values") == 5
    assert engine.repo.collect_garbage(engine.repo.last_timestamp()) == 4
    assert entries(engine, "values") == 1
    assert engine.get(1, "content", DOCUMENTS) == b"4" * 500


def test_a_value_that_looks_like_a_pointer_points_nowhere(engine: Engine) -> None:
    engine.put(1, b"x" * 500, "content", DOCUMENTS)
    environment = environment_of(engine)
    values = environment.database("values")
    with environment.read() as transaction, transaction.cursor(values) as cursor:
        assert cursor.first()
        place = cursor.key()
    engine.put(2, b"\1" + place)
    engine.put(2, b"y")
    assert engine.repo.collect_garbage(engine.repo.last_timestamp()) == 1
    assert engine.get(1, "content", DOCUMENTS) == b"x" * 500


def test_garbage_collection_of_a_clean_store_commits_nothing(engine: Engine) -> None:
    engine.put(1, b"x")
    before = environment_of(engine).commits
    assert engine.repo.collect_garbage(engine.repo.last_timestamp()) == 0
    assert environment_of(engine).commits == before


def test_a_cell_written_while_garbage_is_looked_for_is_not_removed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A NEWEST cell keeps its key: the tombstone that was found may be a value by the time of the deletion."""
    engine.put(1, b"x", "build", DOCUMENTS)
    engine.put(1, None, "build", DOCUMENTS)
    now = engine.put(2, b"x")
    environment = environment_of(engine)
    write = environment.write

    def written_before_the_lock() -> object:
        monkeypatch.setattr(environment, "write", write)
        engine.put(1, b"alive", "build", DOCUMENTS)
        return write()

    monkeypatch.setattr(environment, "write", written_before_the_lock)
    assert engine.repo.collect_garbage(now) == 0
    assert engine.get(1, "build", DOCUMENTS) == b"alive"


def test_a_lease_taken_while_garbage_is_looked_for_is_respected(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.put(1, b"old")
    environment = environment_of(engine)
    with engine.repo.snapshot() as snapshot:
        now = engine.put(1, b"new")
        lease, write = engine.repo.lease(snapshot, 60), environment.write

        def leased_before_the_lock() -> object:
            monkeypatch.setattr(environment, "write", write)
            lease.__enter__()
            return write()

        monkeypatch.setattr(environment, "write", leased_before_the_lock)
        assert engine.repo.collect_garbage(now) == 0
        assert snapshot.read(ITEMS, "a", [key_of(1)])[0] is not None
        lease.__exit__(None, None, None)


def test_a_lease_outlives_its_process_until_it_expires(tmp_path: Path) -> None:
    with lmdb_engine(tmp_path) as engine:
        old = engine.put(1, b"old")
        lease = engine.repo.lease(engine.repo.snapshot(), seconds=60)
        lease.__enter__()  # and the process dies
        now = engine.put(1, b"new")
    with lmdb_engine(tmp_path) as engine:
        assert engine.repo.collect_garbage(now) == 0
        assert engine.get(1, at=old) == b"old"
        records = entries(engine, "meta")
        engine.clock.ms += 61_000
        assert engine.repo.collect_garbage(now) == 1
        assert entries(engine, "meta") <= records + 1  # the lease is gone; watermark and position have come
        with pytest.raises(TooOldError):
            engine.repo.snapshot_at(old)


def test_garbage_collection_goes_on_where_the_last_process_stopped(tmp_path: Path) -> None:
    with lmdb_engine(tmp_path) as engine:
        for value in (b"one", b"two"):
            transaction = engine.begin()
            for number in range(20):
                transaction.write(ITEMS, key_of(number), "a", value)
            engine.commit(transaction)
    removed = 0
    for _ in range(4):
        with lmdb_engine(tmp_path) as engine:
            removed += engine.repo.collect_garbage(engine.repo.last_timestamp(), limit=5)
    assert removed == 20


def test_numbers_of_tables_stay_when_it_is_opened_again(tmp_path: Path) -> None:
    with lmdb_engine(tmp_path) as engine:
        engine.put(1, b"one")
        engine.put(1, b"doc" * 100, "content", DOCUMENTS)
    with lmdb_engine(tmp_path, tables=tuple(reversed(TABLES))) as engine:
        assert engine.get(1) == b"one"
        assert engine.get(1, "content", DOCUMENTS) == b"doc" * 100
        assert {spec.name: spec for spec in engine.repo.tables()} == {spec.name: spec for spec in TABLES}


@pytest.mark.parametrize("entered", [False, True])
def test_a_still_snapshot_of_damaged_data_says_so_and_holds_nothing(tmp_path: Path, entered: bool) -> None:
    with lmdb_engine(tmp_path) as engine:
        engine.put(1, b"one")
        snapshot = engine.repo.snapshot(still=True)
        with pytest.raises((CorruptionError, UnavailableError)), ExitStack() as stack:
            if entered:
                stack.enter_context(snapshot)
            _damage(tmp_path)
            if not entered:
                stack.enter_context(snapshot)
            snapshot.read(ITEMS, "a", [key_of(1)])
        assert environment_of(engine)._store.local.state.busy == 0


def _damage(folder: Path) -> None:
    """Zeros in all pages but the two that tell where the others are."""
    with (folder / "data.mdb").open("r+b") as file:
        size = file.seek(0, SEEK_END)
        file.seek(2 * PAGESIZE)
        file.write(bytes(size - file.tell()))


def test_a_failing_append_commits_nothing(tmp_path: Path) -> None:
    def refuse(*arguments: object) -> None:
        raise KeyError

    environment = LmdbEnvironment(tmp_path, ManualClock(), nonce=b"test")
    repo = LmdbRepo(environment, ManualClock(), refuse)
    repo.declare(TABLES)
    transaction = Transaction(0)
    transaction.write(ITEMS, key_of(1), "a", b"x")
    transaction.notify("topic", 0, b"x")
    with pytest.raises(KeyError):
        repo.commit([transaction])
    assert repo.last_timestamp() == 0
    environment.close()
