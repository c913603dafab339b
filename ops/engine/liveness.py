"""Which processes are alive, and who consumes what: locked files, which the kernel unlocks on any death.

In the data folder, `live/ROLE.PID` is held as long as the process lives; one that is not locked was left by a dead
process, and is removed by who meets it. `claims/CONSUMER.TOPIC.PARTITION` is locked by the one process that consumes
that partition; these files stay, they are as many as there are partitions.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from proto.errors import UnavailableError


class LiveProcess(NamedTuple):
    """One that runs, and what it does. generation: number of its flows; 0 while it has not said."""

    pid: int
    role: str
    generation: int = 0


class Liveness:
    """What this process holds in a data folder, until `close` or its end."""

    def __init__(self, folder: Path) -> None:
        self._live, self._claims = folder / "live", folder / "claims"
        self._live.mkdir(parents=True, exist_ok=True)
        self._claims.mkdir(parents=True, exist_ok=True)
        self._held: dict[Path, int] = {}
        self.name = ""
        """Of this process, as `alive` knows it, once it holds its role."""

    def hold(self, role: str) -> None:
        """Says that this process lives and does `role`. Raises UnavailableError when another one holds its file."""
        self.name = f"{role}.{os.getpid()}"
        path = self._live / self.name
        if not self._lock(path):
            raise UnavailableError(f"{path} is held by another process with this number; is the folder on a network?")

    def say(self, generation: int) -> None:
        """Tells the others with which flows this process works; after `hold`."""
        os.pwrite(self._held[self._live / self.name], b"%d %d\n" % (os.getpid(), generation), 0)

    def others(self) -> list[LiveProcess]:
        """Live processes but this one."""
        return [process for process, path in self._processes() if path not in self._held]

    def alive(self, name: str) -> bool:
        """Whether the process of that name still runs."""
        path = self._live / name
        return path in self._held or (path.exists() and not _is_free(path))

    def claim(self, consumer: str, topic: str, partition: int) -> bool:
        """True when this process may consume the partition, now and until it ends; False while another one does."""
        return self._lock(self._claims / f"{consumer}.{topic}.{partition}")

    def is_claimed(self, consumer: str, topic: str, partition: int) -> bool:
        """Whether any live process has claimed it."""
        return is_held(self._claims / f"{consumer}.{topic}.{partition}")

    def close(self) -> None:
        """Lets go of everything."""
        for path, descriptor in self._held.items():
            if path.parent == self._live:
                path.unlink(missing_ok=True)
            os.close(descriptor)
        self._held.clear()

    def _processes(self) -> Iterator[tuple[LiveProcess, Path]]:
        for path in sorted(self._live.iterdir()):
            role, _, number = path.name.rpartition(".")
            if path in self._held or not _is_free(path):
                yield LiveProcess(int(number), role, _generation(path)), path

    def _lock(self, path: Path) -> bool:
        while path not in self._held:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
                if os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(descriptor)):
                    self._held[path] = descriptor
            except BlockingIOError:
                return False
            finally:
                if path not in self._held:  # it was removed between open and lock: once more; or the disk is full:
                    os.close(descriptor)  # a lock that nobody knows of would keep this process itself out
        return True


def is_held(path: Path) -> bool:
    """Whether a live process has locked this file. Two who ask at once are not in each other's way."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _generation(path: Path) -> int:
    try:
        said = path.read_text().split()
    except FileNotFoundError:
        return 0  # it has just ended
    return int(said[1]) if len(said) > 1 else 0


def _is_free(path: Path) -> bool:
    """Whether nobody holds it; then it is removed."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
