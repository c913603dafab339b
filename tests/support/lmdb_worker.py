"""Another process on an LMDB data folder: `python -m tests.support.lmdb_worker WORK FOLDER ARGUMENTS...`."""

import os
import resource
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import lmdb

from ops.brokers.lmdb import LmdbLog
from ops.engine.clock import SystemClock
from proto.errors import UnavailableError
from proto.ports.clock import Clock
from repo.api import Keep, TableSpec, Transaction
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.repo import LmdbRepo
from tests.support.engines import ITEMS, TABLES, ManualClock, key_of

FAR_FUTURE_MS = 9e12


def opened(folder: str, clock: Clock) -> tuple[LmdbEnvironment, LmdbRepo, LmdbLog]:
    environment = LmdbEnvironment(Path(folder), clock, nonce=b"%d" % os.getpid())
    log = LmdbLog(environment)
    repo = LmdbRepo(environment, clock, log.append_in)
    repo.declare(TABLES)
    return environment, repo, log


def increment(folder: str, times: str) -> None:
    """Adds one to a counter, again and again; a conflict is tried again."""
    environment, repo, _ = opened(folder, SystemClock())
    key, at_least = key_of("counter"), 0
    for _ in range(int(times)):
        committed = False
        while not committed:
            with repo.snapshot(at_least) as snapshot:
                (version,) = snapshot.read(ITEMS, "a", [key])
                transaction = Transaction(snapshot.timestamp)
            transaction.write(ITEMS, key, "a", b"%d" % (int(version.value or b"0") + 1 if version else 1))
            (outcome,) = repo.commit([transaction])
            committed, at_least = outcome.committed, outcome.commit_timestamp
    environment.close()


def write_pairs(folder: str) -> None:
    """Writes n to two rows and a topic in one transaction; prints n when it is acknowledged. For ever."""
    _, repo, _ = opened(folder, SystemClock())
    with repo.snapshot() as snapshot:
        (version,) = snapshot.read(ITEMS, "a", [key_of("x")])
    number = int(version.value or b"0") if version else 0
    while True:
        number += 1
        transaction = Transaction(repo.last_timestamp())
        for name in ("x", "y"):
            transaction.write(ITEMS, key_of(name), "a", b"%d" % number)
        for filler in range(40):
            transaction.write(ITEMS, key_of("filler", (number * 31 + filler * 7) % 5000), "b", b"f" * 300)
        transaction.notify("topic", 0, b"%d" % number)
        repo.commit([transaction])
        print(number, flush=True)


def commit_in_the_future(folder: str) -> None:
    """One commit, by a clock that is far ahead, to a table that only this process has declared."""
    environment, repo, _ = opened(folder, ManualClock(FAR_FUTURE_MS))
    repo.declare([TableSpec("theirs", {"a": Keep.VERSIONED})])
    transaction = Transaction(repo.last_timestamp())
    transaction.write("theirs", key_of(1), "a", b"theirs")
    print(repo.commit([transaction])[0].commit_timestamp)
    environment.close()


def fill_the_disk(folder: str) -> None:
    """The file may not grow: a commit fails in its middle, nothing of it is kept, and small ones go on."""
    environment, repo, log = opened(folder, SystemClock())
    commit_one(repo, "before", b"x")
    size = os.path.getsize(Path(folder) / "data.mdb")
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30_000, resource.RLIM_INFINITY))
    before, commits = repo.last_timestamp(), environment.commits
    refused = 0
    for _ in range(3):
        try:
            with environment.group():
                log.append("topic", 0, [b"undone"])
                commit_one(repo, "big", b"x" * 1_000_000)
        except UnavailableError as error:
            refused += 1
            assert "full" in str(error) and folder in str(error), error
    assert refused == 3
    assert (repo.last_timestamp(), environment.commits, log.bounds("topic", 0)) == (before, commits, (0, 0))
    assert values(repo, "before", "big") == [b"x", None]
    commit_one(repo, "small", b"fits")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    commit_one(repo, "big", b"x" * 1_000_000)
    assert values(repo, "before", "small") == [b"x", b"fits"]
    environment.close()
    environment, repo, _ = opened(folder, SystemClock())
    assert values(repo, "before", "small") == [b"x", b"fits"]
    environment.close()


def break_the_meta_page(folder: str) -> None:
    """LMDB refuses an environment when writing its meta page failed: it is opened again, under a running reader."""
    environment, repo, _ = opened(folder, SystemClock())
    commit_one(repo, "before", b"x")
    files = [int(name) for name in os.listdir("/proc/self/fd")]
    data = sorted(number for number in files if _path(number).endswith("data.mdb"))
    kept, read_only = os.dup(data[1]), os.open(Path(folder) / "data.mdb", os.O_RDONLY)
    stop, reads = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            reads.append(values(repo, "before")[0])

    reader = threading.Thread(target=read)
    reader.start()
    os.dup2(read_only, data[1])  # LMDB writes meta pages through a second descriptor
    try:
        commit_one(repo, "lost", b"x")
        raise AssertionError("the commit should have failed")
    except UnavailableError as error:
        assert isinstance(error.__cause__, lmdb.Error), error
    finally:
        os.close(read_only)
        os.close(kept)
    assert values(repo, "before", "lost") == [b"x", None]
    commit_one(repo, "after", b"x")
    stop.set()
    reader.join()
    assert set(reads) == {b"x"}
    assert values(repo, "before", "lost", "after") == [b"x", None, b"x"]
    environment.close()


def commit_one(repo: LmdbRepo, name: str, value: bytes) -> None:
    transaction = Transaction(repo.last_timestamp())
    transaction.write(ITEMS, key_of(name), "a", value)
    assert repo.commit([transaction])[0].committed


def values(repo: LmdbRepo, *names: str) -> list[bytes | None]:
    with repo.snapshot() as snapshot:
        found = snapshot.read(ITEMS, "a", [key_of(name) for name in names])
    return [None if version is None else version.value for version in found]


def _path(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return ""


WORK: dict[str, Callable[..., None]] = {
    work.__name__: work for work in (increment, write_pairs, commit_in_the_future, fill_the_disk, break_the_meta_page)
}

if __name__ == "__main__":
    WORK[sys.argv[1]](*sys.argv[2:])
