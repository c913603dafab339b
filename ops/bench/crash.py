"""Phase f: every role as a process of its own, each killed in the middle of edits, and started again."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from ops.bench.phases import Trickle
from ops.demo.signal_process import signal_service
from ops.roles import ROLES
from ops.settings import SETTINGS_FILE

SECONDS_A_KILL = 0.8
_WAIT_S = 60.0
_LOOK_S = 0.05


class Roles:
    """One process a role, on one data folder. kills: how often one was killed."""

    def __init__(self, data: Path, output: Path) -> None:
        self._data, self._output = data, output
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.kills = 0

    def start(self, role: str) -> None:
        """Its output goes to a file beside the data."""
        with (self._output / f"{role}.txt").open("ab") as out:
            self._running[role] = subprocess.Popen(_command("run", self._data, "--role", role), stdout=out, stderr=out)

    def kill(self, role: str) -> None:
        """As the kernel does when memory is short."""
        self._running[role].kill()
        self._running[role].wait()
        self.kills += 1

    def stop(self) -> None:
        """All of them, orderly."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait()


def crash(
    data: Path, editor: Trickle, seed: int, random: Random, signals: Iterable[str], tell: Callable[[str], None]
) -> tuple[int, bool]:
    """Kills while `editor` edits; returns how many kills there were, and whether all was servable in the end.

    seed: of the signal service; signals: those that the flows file names.
    """
    with signal_service(seed) as address, _roles(data, address, signals) as roles:
        _servable(data)
        editor.start()
        try:
            victims = 0
            while editor.running():
                _pause(editor, SECONDS_A_KILL * random.uniform(0.5, 1.5))
                role = ROLES[victims % len(ROLES)]
                roles.kill(role)
                tell(f"f kill -9 {role}")
                roles.start(role)
                victims += 1
        finally:
            editor.stop()
        return roles.kills, _servable(data)


@contextmanager
def _roles(data: Path, address: str, signals: Iterable[str]) -> Iterator[Roles]:
    urls = [f'[signals.{name}]\nurl = "{address}/{name}"\n' for name in signals]
    (data / SETTINGS_FILE).write_text("".join(urls))
    roles = Roles(data, data.parent)
    try:
        for role in ROLES:
            roles.start(role)
        yield roles
    finally:
        roles.stop()


def _servable(data: Path) -> bool:
    waited = subprocess.run([*_command("wait", data), "--timeout", str(_WAIT_S)], capture_output=True, check=False)
    return waited.returncode == 0


def _pause(editor: Trickle, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s and editor.running():
        time.sleep(_LOOK_S)


def _command(name: str, data: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "ops", name, "--data", str(data), *more]
