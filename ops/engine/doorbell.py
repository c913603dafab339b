"""The doorbell between processes that share a data folder: an empty Unix datagram that says "something was committed".

A ring is a hint, never needed: a loop that missed it looks by itself a little later (`sweep_ms`). The sockets lie in
the system's folder for temporary files, because the path of a Unix socket is limited to about 100 bytes; their folder
is named after a hash of the data folder. Garbage: the socket of a dead process refuses, and is removed by who rings it.
"""

import hashlib
import os
import select
import socket
import stat
import tempfile
from itertools import count
from pathlib import Path

from ops.engine.file_watch import FileWatch
from proto.errors import SettingsError

_SUFFIX = ".bell"
_numbers = count()


class Doorbell:
    """Not for several threads, but for `ring` and `wake`. rings_sent: datagrams that reached another process."""

    def __init__(self, data_folder: Path) -> None:
        """Raises SettingsError when the folder for the sockets can't be made, or belongs to another user."""
        self.rings_sent = 0
        self._data_folder = data_folder
        self._folder = socket_folder(data_folder)
        self._path = str(self._folder / f"{os.getpid()}-{next(_numbers)}{_SUFFIX}")
        self._socket = self._bound()
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)
        self._watches: list[FileWatch] = []
        self._others: list[str] = []
        self._listed_ns = -1
        self.ring()  # removes what dead processes left

    def ring(self) -> None:
        """Rings all other processes; after each durable commit. Costs a look at one file when there is nobody else."""
        try:
            changed_ns = os.stat(self._folder).st_mtime_ns
        except FileNotFoundError:  # somebody has tidied the temporary files
            self._others = []
            return
        if changed_ns != self._listed_ns:
            self._listed_ns = changed_ns
            self._others = [
                entry.path
                for entry in os.scandir(self._folder)
                if entry.name.endswith(_SUFFIX) and entry.path != self._path
            ]
        for path in self._others:
            self._send(path)

    def wake(self) -> None:
        """Rings this process itself; from any thread, and from a signal handler."""
        try:
            self._sender.sendto(b"", self._path)
        except OSError:
            pass  # full of rings already, closed, or tidied away: then `sweep_ms` wakes it

    def wait(self, timeout_ms: float) -> bool:
        """True at the first ring since the last wait, False after timeout_ms. A fraction of a ms is honoured.

        A watched file that was written rings, too; an event that was about something else ends the wait with False.
        """
        watched: list[socket.socket | FileWatch] = [self._socket, *self._watches]
        rung = False
        for ready in select.select(watched, [], [], timeout_ms / 1e3)[0]:
            rung |= ready.drain() if isinstance(ready, FileWatch) else self._rung()
        return rung

    def watch(self, watch: FileWatch) -> None:
        """From now on `wait` also ends when this file is written."""
        self._watches.append(watch)

    def restore(self) -> None:
        """Binds the socket again if somebody has tidied the temporary files away. Every few seconds is enough."""
        if not os.path.exists(self._path):
            self._socket.close()
            self._socket = self._bound()
            self._listed_ns = -1

    def close(self) -> None:
        """Removes the socket, and closes the watches."""
        for watch in self._watches:
            watch.close()
        Path(self._path).unlink(missing_ok=True)
        self._socket.close()
        self._sender.close()
        try:
            self._folder.rmdir()
        except OSError:
            pass  # others are there

    def _bound(self) -> socket.socket:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.setblocking(False)
        while True:
            socket_folder(self._data_folder)
            try:
                made.bind(self._path)
                return made
            except FileNotFoundError:
                continue  # the last one who was there has just removed the folder
            except OSError as error:
                made.close()
                raise SettingsError(
                    f"the doorbell {self._path} can't be made ({error}); set TMPDIR to a shorter path"
                ) from error

    def _rung(self) -> bool:
        try:
            while True:
                self._socket.recv(1)
        except BlockingIOError:
            return True

    def _send(self, path: str) -> None:
        try:
            self._sender.sendto(b"", path)
            self.rings_sent += 1
        except BlockingIOError:
            pass  # its queue is full of rings: it will wake
        except (ConnectionRefusedError, FileNotFoundError):
            Path(path).unlink(missing_ok=True)
        except OSError:
            pass  # macOS says ENOBUFS for a full queue; and a ring is only a hint


def socket_folder(data_folder: Path) -> Path:
    """Where the processes of a data folder have their sockets; made if need be."""
    digest = hashlib.blake2b(os.fsencode(data_folder.resolve()), digest_size=6).hexdigest()
    folder = Path(tempfile.gettempdir()) / f"adsindex-{os.getuid()}-{digest}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise SettingsError(f"{folder} can't be made ({error}); set TMPDIR to a folder that can be written") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise SettingsError(f"{folder} belongs to somebody else; remove it, or set TMPDIR to a folder of your own")
    return folder
