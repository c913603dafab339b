"""The embedded log among several processes: dense offsets; a commit number that never runs ahead of what is read."""

import multiprocessing
from pathlib import Path

from ops.brokers.lmdb import LmdbLog
from ops.engine.clock import SystemClock
from repo.lmdb.environment import LmdbEnvironment

_spawn = multiprocessing.get_context("spawn")
_EACH = 300


def append_many(folder: str, name: str) -> None:
    environment = LmdbEnvironment(Path(folder), SystemClock(), name.encode())
    log = LmdbLog(environment)
    for number in range(_EACH):
        log.append("t", 0, [f"{name}{number}".encode()])
    environment.close()


def test_last_commit_never_runs_ahead_of_what_is_read_while_others_append(tmp_path: Path) -> None:
    """A consumer that found nothing new at commit n looks again only at another number: it must not miss anything."""
    environment = LmdbEnvironment(tmp_path, SystemClock(), b"reader")
    log = LmdbLog(environment)
    writers = [_spawn.Process(target=append_many, args=(str(tmp_path), name), daemon=True) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    ends: dict[int, int] = {}
    try:
        while any(writer.is_alive() for writer in writers):
            commit = log.last_commit()
            end = log.bounds("t", 0)[1]
            if log.last_commit() == commit:
                assert ends.setdefault(commit, end) == end
    finally:
        for writer in writers:
            writer.kill()
            writer.join()
    values = [message.value for message in log.read("t", 0, 0, 10 * _EACH)]
    for name in ("a", "b"):
        assert [value for value in values if value.startswith(name.encode())] == [
            f"{name}{number}".encode() for number in range(_EACH)
        ]
    assert log.bounds("t", 0) == (0, 2 * _EACH)
    environment.close()
