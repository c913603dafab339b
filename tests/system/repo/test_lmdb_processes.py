"""Several processes on one environment; processes that are killed; disks that are full."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from ops.brokers.lmdb import LmdbLog
from repo.api import Transaction
from repo.lmdb.repo import LmdbRepo
from tests.support.engines import ITEMS, ManualClock, key_of
from tests.support.lmdb_worker import FAR_FUTURE_MS, opened

ROOT = Path(__file__).parents[3]


def start(work: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.support.lmdb_worker", work, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: "subprocess.Popen[str]") -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def test_no_increment_of_several_processes_is_lost(tmp_path: Path) -> None:
    for process in [start("increment", tmp_path, 40) for _ in range(3)]:
        finish(process)
    environment, repo, _ = opened(str(tmp_path), ManualClock())
    with repo.snapshot() as snapshot:
        versions = snapshot.history(ITEMS, "a", key_of("counter"), limit=1000)
    environment.close()
    assert [version.value for version in versions] == [b"%d" % number for number in range(120, 0, -1)]


def test_the_last_timestamp_is_that_of_the_store_not_of_the_process(tmp_path: Path) -> None:
    environment, repo, _ = opened(str(tmp_path), ManualClock())
    theirs = int(finish(start("commit_in_the_future", tmp_path)))
    assert theirs == FAR_FUTURE_MS * 1_000_000
    with repo.snapshot(at_least=theirs) as snapshot:
        (version,) = snapshot.read("theirs", "a", [key_of(1)])  # a table that was declared meanwhile
        assert version is not None and version.value == b"theirs"
    transaction = Transaction(snapshot.timestamp)
    transaction.write(ITEMS, key_of(1), "a", b"mine")
    assert repo.commit([transaction])[0].commit_timestamp == theirs + 1
    environment.close()


def test_a_process_that_is_killed_loses_nothing_and_leaves_nothing_torn(tmp_path: Path) -> None:
    """Seen by a process that goes on with the same environment, and takes over the writer lock of the dead one."""
    environment, repo, log = opened(str(tmp_path), ManualClock())
    for kill in range(5):
        process = start("write_pairs", tmp_path)
        assert process.stdout is not None
        first = process.stdout.readline()
        until = time.monotonic() + 0.02 + 0.03 * kill  # somewhere in the middle of something
        while time.monotonic() < until:
            with repo.snapshot() as snapshot:
                x, y = (snapshot.read(ITEMS, "a", [key_of(name)]) for name in ("x", "y"))
            assert x == y
        process.kill()
        acknowledged = int((first + process.communicate()[0]).split()[-1])
        seen = check_pairs(repo, log)
        environment.check_readers()
        transaction = Transaction(repo.last_timestamp())
        transaction.write(ITEMS, key_of("mine"), "a", b"mine")
        assert repo.commit([transaction])[0].committed
        stored = check_pairs(repo, log)
        # a commit that had reached the file, but nobody had been told of, shows when its writer's lock is taken over
        assert acknowledged <= seen <= stored <= acknowledged + 1
    environment.close()
    environment, repo, log = opened(str(tmp_path), ManualClock())
    assert check_pairs(repo, log) == stored
    environment.close()


def check_pairs(repo: LmdbRepo, log: LmdbLog) -> int:
    """Both rows, all their versions and all messages tell of the same commits, without a gap; returns how many."""
    with repo.snapshot() as snapshot:
        x, y = (snapshot.history(ITEMS, "a", key_of(name), limit=100_000)[::-1] for name in ("x", "y"))
    assert x == y
    assert [version.value for version in x] == [b"%d" % number for number in range(1, len(x) + 1)]
    assert [message.value for message in log.read("topic", 0, 0, 100_000)] == [
        version.commit_timestamp.to_bytes(8, "big") + (version.value or b"") for version in x
    ]
    return len(x)


@pytest.mark.parametrize("work", ["fill_the_disk", "break_the_meta_page"])
def test_a_failing_disk_is_an_error_and_nothing_is_lost(tmp_path: Path, work: str) -> None:
    if work == "break_the_meta_page" and not Path("/proc/self/fd").exists():
        pytest.skip("finds LMDB's descriptors in /proc")
    finish(start(work, tmp_path))
