"""Real processes, found again by others, stopped, killed, and told from strangers."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.cluster.process import ServerProcess

PATIENCE_S = 120.0
SLEEP = ("sleep", "600")
STUBBORN = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ServerProcess]:
    one = ServerProcess(tmp_path, "sleeper")
    yield one
    one.send(signal.SIGKILL)


def start(process: ServerProcess, *command: str) -> int:
    process.start(command, dict(os.environ))
    pid = process.pid()
    assert pid is not None
    return pid


def says(process: ServerProcess, text: str) -> None:
    while text not in process.last_words(1):
        assert process.pid() is not None


def test_another_object_finds_it_and_stops_it(process: ServerProcess, tmp_path: Path) -> None:
    assert (process.pid(), process.memory_bytes()) == (None, None)
    pid = start(process, *SLEEP)
    other = ServerProcess(tmp_path, "sleeper")
    assert other.pid() == pid
    assert not other.ended(0)
    assert other.stop(PATIENCE_S)
    assert (process.pid(), process.memory_bytes()) == (None, None)


def test_it_is_gone_however_it_died(process: ServerProcess) -> None:
    os.kill(start(process, *SLEEP), signal.SIGKILL)
    assert process.ended(PATIENCE_S)
    assert process.pid() is None


def test_who_does_not_stop_is_killed(process: ServerProcess) -> None:
    start(process, *STUBBORN)
    says(process, "ready")
    assert not process.stop(0.2)
    assert process.pid() is None


def test_a_paused_process_is_killed(process: ServerProcess) -> None:
    pid = start(process, *SLEEP)
    os.kill(pid, signal.SIGSTOP)
    assert os.WIFSTOPPED(os.waitpid(pid, os.WUNTRACED)[1])  # else SIGTERM could overtake it
    assert not process.stop(0.2)
    assert process.pid() is None


def test_a_stranger_with_the_number_of_a_dead_server_is_left_alone(process: ServerProcess, tmp_path: Path) -> None:
    with subprocess.Popen(SLEEP) as stranger:
        (tmp_path / "live").mkdir()
        (tmp_path / "live/sleeper").write_text(f"{stranger.pid}\n")
        assert process.pid() is None
        assert process.stop(PATIENCE_S)
        assert stranger.poll() is None
        stranger.kill()


def test_it_has_a_session_of_its_own_so_that_ctrl_c_does_not_reach_it(process: ServerProcess) -> None:
    pid = start(process, *SLEEP)
    assert os.getsid(pid) == pid != os.getsid(0)


def test_its_last_words_are_those_of_this_start(process: ServerProcess) -> None:
    start(process, "sh", "-c", "echo former; exec sleep 600")
    says(process, "former")
    process.stop(PATIENCE_S)
    process.start(["sh", "-c", "echo one; echo two; echo three"], dict(os.environ))
    assert process.ended(PATIENCE_S)
    assert process.last_words(2) == "two\nthree"
    assert process.output.read_text() == "former\none\ntwo\nthree\n"


def test_a_program_that_there_is_not_ends_and_says_so(process: ServerProcess) -> None:
    process.start(["/no/such/program"], dict(os.environ))
    assert process.ended(PATIENCE_S)
    assert "/no/such/program" in process.last_words(5)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_its_memory_is_known(process: ServerProcess) -> None:
    start(process, *STUBBORN)
    says(process, "ready")  # before, it may be between two programs, and have none
    assert (process.memory_bytes() or 0) > 100_000
