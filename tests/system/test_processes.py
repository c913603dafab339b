"""The whole way as real processes: another program edits, we kill -9 whatever runs, and nothing is lost or torn."""

import resource
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import pytest

from tests.support.processes import PATIENCE_S, Daemon, adsindex, command
from tests.system.editing import torn_pair
from tests.system.shop_processes import ROLES, check_shop, editing, run_command

ORDERS = (ROLES, ("argus", "gateway", "updater"), ("updater", "argus", "gateway"))
Start = Callable[..., Daemon]


@pytest.fixture
def start(tmp_path: Path, shop: sqlite3.Connection) -> Iterator[Start]:
    """Starts `adsindex run` on the shop; whatever still runs in the end is killed."""
    started: list[Daemon] = []

    def start(*more: object, prepare: Callable[[], None] | None = None) -> Daemon:
        started.append(Daemon(run_command(tmp_path, *more), tmp_path / f"run{len(started)}.txt", prepare))
        return started[-1]

    yield start
    for daemon in started:
        daemon.kill()


@pytest.fixture
def editor(tmp_path: Path, shop: sqlite3.Connection) -> Iterator[Daemon]:
    """Another process that edits the shop, 200 transactions a second."""
    torn_pair(shop, 0)
    daemon = editing(tmp_path, 7, 200)
    yield daemon
    daemon.kill()


def test_edits_of_another_program_are_served_and_sigterm_drains(
    tmp_path: Path, shop: sqlite3.Connection, start: Start, editor: Daemon
) -> None:
    daemon = start()
    daemon.says("live")
    time.sleep(0.5)
    editor.kill()
    check_shop(tmp_path / "data", shop)
    torn_pair(shop, -1)
    assert daemon.stop() == 0 and "stopped" in daemon.text
    start().says("live")
    check_shop(tmp_path / "data", shop)


def test_kill_9_of_everything_in_one_process(
    tmp_path: Path, shop: sqlite3.Connection, start: Start, editor: Daemon
) -> None:
    killed(tmp_path, shop, start, editor, [()], 8, Random(5))


def test_kill_9_of_roles_in_processes_of_their_own(
    tmp_path: Path, shop: sqlite3.Connection, start: Start, editor: Daemon
) -> None:
    killed(tmp_path, shop, start, editor, [("--role", role) for role in (*ROLES, "argus")], 8, Random(6))


@pytest.mark.parametrize("roles", ORDERS, ids="-".join)
def test_in_whatever_order_the_roles_start_for_the_first_time(
    tmp_path: Path, shop: sqlite3.Connection, start: Start, roles: Sequence[str]
) -> None:
    """Each finds an empty data folder, or what those before it have made of it, and works a while before the next."""
    for role in roles:
        start("--role", role)
        time.sleep(1.0)
    check_shop(tmp_path / "data", shop)


def test_a_full_disk_is_told_and_loses_nothing(
    tmp_path: Path, shop: sqlite3.Connection, start: Start, editor: Daemon
) -> None:
    first = start()
    first.says("live")
    assert first.stop() == 0
    limit = (tmp_path / "data" / "data.mdb").stat().st_size + 64 * 4096

    def no_space() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    full = start(prepare=no_space)
    full.says("is full or failing")
    assert "nothing of this commit was kept. Free some space" in full.text
    deadline = time.monotonic() + PATIENCE_S
    while "full or failing" not in (status := adsindex("status", "--data", tmp_path / "data")).output:
        assert time.monotonic() < deadline, status
    assert status.code == 1
    time.sleep(0.5)
    full.kill()
    editor.kill()
    start()
    check_shop(tmp_path / "data", shop)


def test_kill_9_while_stale_changes_are_dropped_and_healed(
    tmp_path: Path, shop: sqlite3.Connection, start: Start, editor: Daemon
) -> None:
    """Lanes are paused, dropped, resumed, healed; processes are killed in the middle of all of it."""
    data, random = tmp_path / "data", Random(8)
    daemon = start()
    daemon.says("live")
    dropped = 0
    for number in range(4):
        lane, stage = random.choice(("high", "medium", "low")), ("updater", "argus")[number % 2]
        adsindex("lanes", "pause", lane, "--stage", stage, "--data", data)
        time.sleep(random.uniform(0.2, 0.6))
        arguments = ("lanes", "drop-stale", "high", "--older-than", "0s", "--yes", "--data", data)
        dropping = Daemon(command(*arguments), tmp_path / f"drop{number}.txt")
        time.sleep(random.uniform(0.2, 0.9))
        daemon.kill()
        daemon = start()
        adsindex("lanes", "resume", lane, "--stage", stage, "--data", data)
        dropping.process.wait(PATIENCE_S)
        dropped += "dropped " in dropping.text or "ordered " in dropping.text
        adsindex("lanes", "heal", "--data", data)
        time.sleep(random.uniform(0.0, 0.3))
        if number % 2:
            daemon.kill()
            daemon = start()
    editor.kill()
    assert dropped
    healed = adsindex("lanes", "heal", "--wait", "--timeout", PATIENCE_S / 2, "--data", data)
    assert healed.code == 0, healed
    assert adsindex("lanes", "dropped", "--json", "--data", data).output == ""
    check_shop(data, shop)


def killed(
    tmp_path: Path, shop: sqlite3.Connection, start: Start, editor: Daemon, kinds: Sequence[Sequence[str]],
    kills: int, random: Random,
) -> None:  # fmt: skip
    """Kills one of the processes again and again, from its first moments on; starts another one in its place."""
    running = [start(*kind) for kind in kinds]
    for number in range(kills):
        time.sleep(random.uniform(0.1, 2.0))
        victim = number % len(kinds)
        running[victim].kill()
        running[victim] = start(*kinds[victim])
    editor.kill()
    check_shop(tmp_path / "data", shop)
