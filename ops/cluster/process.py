"""A server's process, which outlives the command that started it.

It holds a lock on `live/NAME`, inherited from who started it, and the kernel lets go of it on any death: the number in
that file is that of our process as long as the file is locked, and is no concern of ours as soon as it is not.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ops.engine.liveness import is_held

_LOOK_S = 0.02
_BEGIN_S = 10.0


class ServerProcess:
    """The process of one server of a cluster's folder, running or not."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._live = folder / "live" / name
        self.log = folder / "logs" / f"{name}.log"
        self.output = folder / "logs" / f"{name}.out"
        self._said = {self.log: 0, self.output: 0}

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """In a session of its own, with the cluster's folder as working directory. Only while it does not run."""
        self._live.parent.mkdir(exist_ok=True)
        self.output.parent.mkdir(exist_ok=True)
        self._said = {path: path.stat().st_size if path.exists() else 0 for path in self._said}
        descriptor = os.open(self._live, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.ftruncate(descriptor, 0)
            with self.output.open("ab") as output:
                subprocess.Popen(
                    ["/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"', str(self._live), *command],
                    cwd=self._folder, env=dict(environment), pass_fds=[descriptor], start_new_session=True,
                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                )  # fmt: skip
        finally:
            os.close(descriptor)

    def pid(self) -> int | None:
        """None: it does not run."""
        deadline = time.monotonic() + _BEGIN_S
        while is_held(self._live) and time.monotonic() < deadline:
            number = self._live.read_text().strip()
            if number:
                return int(number)
            time.sleep(_LOOK_S)  # it has been started, and has not written its number yet
        return None

    def send(self, number: signal.Signals) -> None:
        """A signal, if it runs."""
        pid = self.pid()
        if pid is not None:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass  # it has just ended

    def ended(self, within_s: float) -> bool:
        """Waits until it does not run; False if it still does."""
        deadline = time.monotonic() + within_s
        while is_held(self._live):
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_S)
        return True

    def stop(self, patience_s: float) -> bool:
        """SIGTERM, then SIGKILL; True if the first was enough."""
        self.send(signal.SIGTERM)
        if self.ended(patience_s):
            return True
        self.send(signal.SIGKILL)
        self.ended(patience_s)
        return False

    def memory_bytes(self) -> int | None:
        """What it occupies of the machine's memory; None: it does not run, or nobody can tell here."""
        pid = self.pid()
        try:
            pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
        except (OSError, IndexError):
            return None
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def last_words(self, lines: int) -> str:
        """The end of what it has logged and printed since it was started here."""
        return "\n".join(line for path, begin in self._said.items() for line in _lines(path, begin)[-lines:])


def _lines(path: Path, begin: int) -> list[str]:
    said = path.read_bytes() if path.exists() else b""
    return said[begin if begin <= len(said) else 0 :].decode(errors="replace").splitlines()
