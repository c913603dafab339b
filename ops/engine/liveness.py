"""Which processes are alive, and who consumes what: locked files, which the kernel unlocks on any death.

In the data folder, `live/ROLE.PID` is held as long as the process lives; one that is not locked was left by a dead
process, and is removed by who meets it. `claims/CONSUMER.TOPIC.PARTITION` is locked by the one process that consumes
that partition; these files stay, they are as many as there are partitions.
"""

import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
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
                with suppress(OSError):  # a full disk: the lock is what counts, the number is for people
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
                if os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(descriptor)):
                    self._held[path] = descriptor
            except BlockingIOError:
                return False
            finally:
                if path not in self._held:  # it was removed between open and lock: once more; or an error: a lock
                    os.close(descriptor)  # that nobody knows of would keep this process itself out
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


def opener(path: Path) -> int | None:
    """A process that has LMDB's lock file open; None: none has. LMDB locks its first byte as long as an environment
    is open, for whatever (fcntl(2): F_GETLK). Not for a process that has it open itself: it would lose its lock."""
    mac = sys.platform == "darwin"
    kind, whence, pid = fcntl.F_WRLCK, os.SEEK_SET, 0
    asked = struct.pack("qqihh", 0, 1, pid, kind, whence) if mac else struct.pack("hhqqi4x", kind, whence, 0, 1, pid)
    try:
        with path.open("rb+") as file:
            told = fcntl.fcntl(file, fcntl.F_GETLK, asked)
    except FileNotFoundError:
        return None
    if mac:
        _, _, pid, kind, _ = struct.unpack("qqihh", told)
    else:
        kind, _, _, _, pid = struct.unpack("hhqqi4x", told)
    return None if kind == fcntl.F_UNLCK else pid


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
