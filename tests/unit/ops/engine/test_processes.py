"""What processes of one data folder see of each other: rings, locks, status files."""

import multiprocessing
import os
import resource
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ops.engine.doorbell import Doorbell, socket_folder
from ops.engine.file_watch import FileWatch
from ops.engine.lanes import Lanes
from ops.engine.liveness import Liveness
from ops.engine.pace import EAGER_LOOKS, EAGER_MS, Pace
from ops.engine.pauses import PUBLISHING, Pause, Pauses
from ops.engine.settings import EngineSettings
from ops.engine.status import read_statuses
from ops.engine.status_file import StatusFile
from ops.engine.traffic import Traffic
from proto.errors import SettingsError
from proto.lane import Lane

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from tests.unit.ops.engine.conftest import Bench

_spawn = multiprocessing.get_context("spawn")
_PATIENCE_S = 60


@contextmanager
def child(target: Callable[..., None], *arguments: object) -> Iterator[tuple["Connection", int]]:
    """A process with a pipe; it is killed at the end, if it has not ended."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=target, args=(theirs, *arguments), daemon=True)
    process.start()
    try:
        assert process.pid is not None
        yield ours, process.pid
    finally:
        process.kill()
        process.join()
        ours.close()
        theirs.close()


def told(pipe: "Connection") -> object:
    assert pipe.poll(_PATIENCE_S), "the other process says nothing"
    return pipe.recv()


def ring_back(pipe: "Connection", folder: str) -> None:
    """Rings once when told to, then waits to be rung, and says so."""
    bell = Doorbell(Path(folder))
    pipe.send("ready")
    pipe.recv()
    bell.ring()
    pipe.send(bell.wait(_PATIENCE_S * 1e3))
    pipe.recv()


def hold_and_claim(pipe: "Connection", folder: str) -> None:
    liveness = Liveness(Path(folder))
    liveness.hold("argus")
    pipe.send((liveness.claim("c", "t", 0), liveness.claim("c", "t", 1), [other.role for other in liveness.others()]))
    pipe.recv()


def test_two_processes_ring_each_other(tmp_path: Path) -> None:
    bell = Doorbell(tmp_path)
    assert not bell.wait(0)
    with child(ring_back, str(tmp_path)) as (pipe, _):
        assert told(pipe) == "ready"
        bell.wait(0)  # it rings when it comes, to find out who is there
        pipe.send("ring")
        assert bell.wait(_PATIENCE_S * 1e3)
        assert not bell.wait(0)
        bell.ring()
        assert told(pipe) is True
    bell.close()


def test_nobody_else_costs_no_datagram_and_the_dead_are_forgotten(tmp_path: Path) -> None:
    bell = Doorbell(tmp_path)
    bell.ring()
    assert bell.rings_sent == 0
    with child(ring_back, str(tmp_path)) as (pipe, pid):
        told(pipe)
        bell.ring()
        assert bell.rings_sent == 1
        os.kill(pid, signal.SIGKILL)
    assert len(list(socket_folder(tmp_path).iterdir())) == 2  # its socket is still there
    bell.ring()
    assert bell.rings_sent == 1
    assert len(list(socket_folder(tmp_path).iterdir())) == 1
    folder = socket_folder(tmp_path)
    bell.close()
    assert not folder.exists()


def test_many_rings_are_one_and_never_block(tmp_path: Path) -> None:
    ringer, sleeper = Doorbell(tmp_path), Doorbell(tmp_path)
    for _ in range(2000):
        ringer.ring()
    assert sleeper.wait(0)
    assert not sleeper.wait(0)
    sleeper.wake()
    assert sleeper.wait(0)
    ringer.close()
    sleeper.close()


def test_sockets_that_somebody_tidied_away_come_back(tmp_path: Path) -> None:
    bell, other = Doorbell(tmp_path), Doorbell(tmp_path)
    folder = socket_folder(tmp_path)
    for entry in folder.iterdir():
        entry.unlink()
    folder.rmdir()
    other.ring()
    bell.restore()
    other.restore()
    other.ring()
    assert bell.wait(0)
    bell.close()
    other.close()


def test_writing_a_database_rings_and_makes_its_poller_active(tmp_path: Path) -> None:
    file = tmp_path / "shop.db"
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE ads (id)")
    pace = Pace(active_ms=0.5, quiet_ms=50)
    pace.looked(0, worked=False)
    watch = FileWatch.open(file, pace.stir)
    if watch is None:
        pytest.skip("this system tells nobody that a file was written")
    bell = Doorbell(tmp_path)
    bell.watch(watch)
    assert not bell.wait(0)
    (tmp_path / "unrelated").write_text("x")
    assert not bell.wait(0)
    pace.looked(10, worked=False)
    assert pace.due_ms() == 60
    database.execute("INSERT INTO ads VALUES (1)")
    assert bell.wait(0)
    pace.looked(20, worked=False)
    assert pace.due_ms() == 20 + EAGER_MS, "the file is written before the commit can be seen"
    for _ in range(EAGER_LOOKS):
        pace.looked(21, worked=False)
    assert pace.due_ms() == 21.5
    pace.looked(1021, worked=False)
    assert pace.due_ms() == 1071
    assert not bell.wait(0)
    bell.close()
    database.close()


def test_a_doorbell_that_cannot_be_made_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 120)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with pytest.raises(SettingsError, match="TMPDIR"):
        Doorbell(tmp_path)


def test_a_partition_has_one_consumer_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    liveness = Liveness(tmp_path)
    liveness.hold("updater")
    assert liveness.claim("c", "t", 0)
    assert liveness.claim("c", "t", 0)
    assert liveness.others() == []
    with child(hold_and_claim, str(tmp_path)) as (pipe, pid):
        assert told(pipe) == (False, True, ["updater"])
        assert [(other.pid, other.role) for other in liveness.others()] == [(pid, "argus")]
        assert not liveness.claim("c", "t", 1)
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + _PATIENCE_S
        while liveness.others() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert liveness.others() == []
    assert liveness.claim("c", "t", 1)
    assert [path.name for path in (tmp_path / "live").iterdir()] == [f"updater.{os.getpid()}"]
    liveness.close()
    assert list((tmp_path / "live").iterdir()) == []


def test_status_tells_backlog_errors_and_counts_and_the_files_of_the_dead_go(bench: "Bench", tmp_path: Path) -> None:
    stage = bench.stage()
    one = bench.make_pass(stage)
    bench.send(b"1", b"2")
    bench.loop(one).drain()
    bench.send(b"3", lane=Lane.LOW)
    file = StatusFile(tmp_path, "all", [one], bench.clock)
    file.more["watermark"] = 7
    file.write()
    written = (tmp_path / "status" / f"{os.getpid()}.json").read_text()
    (tmp_path / "status" / "1.json").write_text(written.replace(f'"pid":{os.getpid()}', '"pid":1'))
    (found,) = read_statuses(tmp_path, {os.getpid()})
    assert len(list((tmp_path / "status").iterdir())) == 1
    assert (found.pid, found.role, found.more) == (os.getpid(), "all", {"watermark": 7})
    bench.clock.ms += 500
    file.write()
    assert read_statuses(tmp_path, {os.getpid()}) == [found]  # nothing changed: not written again
    file.more["watermark"] = 8
    file.write()
    (again,) = read_statuses(tmp_path, {os.getpid()})
    assert (again.at_ms, again.more) == (found.at_ms + 500, {"watermark": 8})
    (step,) = found.steps
    assert (step.name, step.backlog, step.failing) == ("c", {"high": 0, "medium": 0, "low": 1}, False)
    assert step.counters is not None
    assert (step.counters.done, step.counters.batches) == (2, 1)
    file.remove()
    assert read_statuses(tmp_path, set()) == []
    assert list((tmp_path / "status").iterdir()) == []


def test_pauses_are_seen_by_other_processes_and_by_stage(tmp_path: Path) -> None:
    Pauses(tmp_path).pause(Pause(lane="low"))
    Pauses(tmp_path).pause(Pause(lane="high", stage="argus"))
    pauses = Pauses(tmp_path)
    assert (pauses.of("updater"), pauses.of("publisher")) == ({Lane.LOW}, set())
    lanes = Lanes("stage", Traffic(EngineSettings()))
    pauses.apply([("argus", lanes)])
    assert lanes.paused == {Lane.LOW, Lane.HIGH}
    pauses.resume(Pause(lane="low"))
    assert pauses.resume(Pause(lane="low")) is None
    pauses.apply([("argus", lanes)])
    assert lanes.paused == {Lane.HIGH}


def test_publishing_is_paused_as_a_whole_and_holds_no_lane(tmp_path: Path) -> None:
    pauses = Pauses(tmp_path)
    pauses.pause(Pause(stage=PUBLISHING))
    assert pauses.of(PUBLISHING) == set(Lane)
    assert pauses.of("argus") == pauses.of("updater") == set()


def test_the_first_pause_stays_with_its_reason_until_it_is_resumed(tmp_path: Path) -> None:
    first = Pause(lane="low", since_ms=5.0, who="ana", reason="backfill")
    pauses = Pauses(tmp_path)
    assert pauses.pause(first) == first
    assert pauses.pause(Pause(lane="low", since_ms=9.0, who="ben")) == first
    assert Pauses(tmp_path).all() == [first]
    assert pauses.resume(Pause(lane="low")) == first
    assert pauses.all() == []


def test_a_file_made_by_hand_pauses_too(tmp_path: Path) -> None:
    pauses = Pauses(tmp_path)
    for name in ("low", "argus.medium", "publisher"):
        (tmp_path / "paused" / name).touch()
    assert [pause.name for pause in pauses.all()] == ["lane medium of argus", "lane low", "publishing"]
    assert pauses.of("argus") == {Lane.LOW, Lane.MEDIUM}
    assert pauses.of(PUBLISHING) == set(Lane)


def test_a_full_disk_keeps_nobody_from_claiming(tmp_path: Path) -> None:
    """Not even the number fits into the file; the lock is what counts."""
    liveness = Liveness(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        assert liveness.claim("argus", "notifications.high", 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert liveness.is_claimed("argus", "notifications.high", 0)
    liveness.close()
    assert not liveness.is_claimed("argus", "notifications.high", 0)
