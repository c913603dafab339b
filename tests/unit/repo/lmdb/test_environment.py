"""Groups: one durable commit or nothing; the format; the databases."""

import threading
from pathlib import Path

import pytest

from proto.errors import SettingsError, UnavailableError
from repo.lmdb.environment import FORMAT_VERSION, LmdbEnvironment
from tests.support.engines import ManualClock


def put(environment: LmdbEnvironment, key: bytes, value: bytes = b"x") -> None:
    with environment.write() as transaction:
        transaction.put(key, value, db=environment.database("things"))


def get(environment: LmdbEnvironment, key: bytes) -> bytes | None:
    database = environment.database("things")
    with environment.read() as transaction:
        return transaction.get(key, db=database)


def in_another_thread(work: "object") -> None:
    thread = threading.Thread(target=work, daemon=True)  # type: ignore[arg-type]
    thread.start()
    thread.join(timeout=20)
    assert not thread.is_alive(), "the other thread waits for a lock"


def test_all_writes_of_a_group_are_one_commit(environment: LmdbEnvironment) -> None:
    environment.database("things")
    before, rings = environment.commits, []
    environment.on_commit.append(lambda: rings.append(environment.commits))
    with environment.group():
        put(environment, b"a")
        with environment.group():
            put(environment, b"b")
        assert environment.commits == before
    assert environment.commits == before + 1
    assert rings == [before + 1]
    assert get(environment, b"a") == get(environment, b"b") == b"x"


def test_a_group_that_writes_nothing_commits_nothing(environment: LmdbEnvironment) -> None:
    environment.database("things")
    before, transaction_id = environment.commits, environment.last_transaction_id()
    with environment.group(), environment.group():
        assert get(environment, b"a") is None
    assert environment.commits == before
    assert environment.last_transaction_id() == transaction_id


def test_a_group_takes_no_lock_before_its_first_write(environment: LmdbEnvironment) -> None:
    with environment.group():
        assert not environment.writing()
        in_another_thread(lambda: put(environment, b"theirs"))
        put(environment, b"mine")
        assert environment.writing()
    assert get(environment, b"theirs") == get(environment, b"mine") == b"x"


def test_a_group_sees_its_own_writes_and_nobody_else_does(environment: LmdbEnvironment) -> None:
    seen = []
    environment.database("things")
    with environment.group():
        put(environment, b"a")
        assert get(environment, b"a") == b"x"
        in_another_thread(lambda: seen.append(get(environment, b"a")))
    assert seen == [None]


def test_an_error_undoes_all_of_a_group(environment: LmdbEnvironment) -> None:
    before = environment.commits
    with pytest.raises(KeyError), environment.group():
        put(environment, b"a")
        with environment.group():
            put(environment, b"b")
        raise KeyError
    assert get(environment, b"a") is None
    assert get(environment, b"b") is None
    put(environment, b"c")
    assert environment.commits > before


def test_an_error_that_is_caught_inside_still_undoes_all(environment: LmdbEnvironment) -> None:
    with pytest.raises(UnavailableError, match="undid"), environment.group():
        put(environment, b"a")
        with pytest.raises(KeyError), environment.group():
            put(environment, b"b")
            raise KeyError
        with pytest.raises(UnavailableError, match="undid"):
            put(environment, b"c")
    assert [get(environment, key) for key in (b"a", b"b", b"c")] == [None, None, None]
    put(environment, b"c")
    assert get(environment, b"c") == b"x"


def test_a_database_of_an_undone_group_is_not_kept(environment: LmdbEnvironment) -> None:
    with pytest.raises(KeyError), environment.group():
        put(environment, b"a")
        raise KeyError
    assert get(environment, b"a") is None
    put(environment, b"a")
    assert get(environment, b"a") == b"x"


def test_everything_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    for number in range(3):
        environment = LmdbEnvironment(tmp_path, ManualClock(), nonce=b"%d" % number)
        assert environment.commits == (1 if number == 0 else 0)
        put(environment, b"%d" % number)
        assert [get(environment, b"%d" % earlier) for earlier in range(number + 1)] == [b"x"] * (number + 1)
        assert environment.size_bytes() > 0
        environment.close()


def test_a_newer_format_is_refused_with_the_way_out(tmp_path: Path) -> None:
    environment = LmdbEnvironment(tmp_path, ManualClock(), nonce=b"test")
    with environment.write() as transaction:
        transaction.put(b"format", b"%d" % (FORMAT_VERSION + 1), db=environment.database("meta"))
    environment.close()
    for _ in range(2):  # the refusal leaves nothing open
        with pytest.raises(SettingsError, match=f"adsindex rebuild --data {tmp_path}"):
            LmdbEnvironment(tmp_path, ManualClock(), nonce=b"test")


def test_a_folder_is_opened_once_in_a_process(environment: LmdbEnvironment) -> None:
    with pytest.raises(SettingsError, match="already open"):
        LmdbEnvironment(environment.folder, ManualClock(), nonce=b"second")
    put(environment, b"a")


def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(SettingsError, match=str(tmp_path)):
        LmdbEnvironment(tmp_path, ManualClock(), nonce=b"test")


def test_records_of_earlier_processes_do_not_pile_up(tmp_path: Path) -> None:
    clock = ManualClock()
    for number in range(100):
        clock.ms += 1
        environment = LmdbEnvironment(tmp_path, clock, nonce=b"%03d" % number)
        put(environment, b"a")
        with environment.read() as transaction:
            records = transaction.stat(environment.database("meta"))["entries"]
        environment.close()
    assert records <= 70


def test_the_transaction_id_tells_of_commits(environment: LmdbEnvironment) -> None:
    put(environment, b"a")
    before = environment.last_transaction_id()
    get(environment, b"a")
    assert environment.last_transaction_id() == before
    put(environment, b"a")
    assert environment.last_transaction_id() == before + 1


def test_threads_write_one_after_the_other(environment: LmdbEnvironment) -> None:
    def count() -> None:
        for _ in range(50):
            with environment.group(), environment.write() as transaction:
                database = environment.database("things")
                value = int(transaction.get(b"n", b"0", db=database))
                transaction.put(b"n", b"%d" % (value + 1), db=database)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert get(environment, b"n") == b"200"
