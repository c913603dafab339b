"""The open LMDB environment of one process: begins and commits transactions, and recovers from I/O errors."""

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from struct import Struct
from typing import Any, NoReturn
from weakref import WeakSet

import lmdb

from proto.errors import AdsIndexError, OutcomeUnknownError, SettingsError, UnavailableError
from proto.ports.clock import Clock
from repo.lmdb.faults import translated

META = "meta"  # the environment's and the Repo's own few records
NONCE_PREFIX = b"nonce/"
NONCE = Struct(">QQ")  # transaction id, wall clock in ns

_DATABASES_MAX = 64
_REOPEN_WAIT_MS = 10_000
_CHILD_ENDED = 70
_FULL = (errno.ENOSPC, errno.EDQUOT)
_LOCK_BYTES, _READER_BYTES = 4096, 64  # of the lock file: at least its head; a reader's place

Database = Any  # lmdb._Database


class ThreadState:
    """What one thread has open.

    depth    groups inside each other
    doomed   an error has undone the group that is still open
    busy     LMDB transactions, also while one is being begun
    opened   databases that the group's transaction has created
    """

    __slots__ = ("busy", "depth", "doomed", "opened", "owner", "transaction")

    def __init__(self) -> None:
        self.owner = threading.current_thread()
        self.depth = self.busy = 0
        self.doomed = False
        self.transaction: lmdb.Transaction[bytes] | None = None
        self.opened: dict[str, Database] = {}


class _Local(threading.local):
    """state: what the calling thread has open; made when it first asks."""

    def __init__(self, joined: Callable[[ThreadState], None]) -> None:
        self.state = ThreadState()
        joined(self.state)


class Store:
    """Safe for threads.

    handles  databases by name; it is the same dict for ever, but what it holds changes when the environment is opened
             again
    local    `local.state` is the calling thread's
    looking  nothing was written so far: opened without the right to write, and again when something is
    forked   this is a child of the process that opened it, and must not touch what both have mapped: see end_child
    """

    def __init__(
        self, folder: Path, clock: Clock, nonce: bytes, map_bytes: int, readers_max: int, looking: bool = False
    ) -> None:
        self.folder = folder
        self.handles: dict[str, Database] = {}
        self._clock = clock
        self._nonce_key = NONCE_PREFIX + nonce
        self._map_bytes, self._readers_max = map_bytes, readers_max
        self._lock = threading.RLock()
        self._threads: list[ThreadState] = []
        self.local = _Local(self._joined)
        self._broken = False
        self.looking = looking
        self.lmdb = self._opened()
        self.forked = False
        _open_stores.add(self)

    def begin(self, state: ThreadState, write: bool) -> "lmdb.Transaction[bytes]":
        """Whoever ends the transaction takes one from state.busy: that is what reopening waits for."""
        if write and self.looking:
            self._reopen(self.lmdb)
        state.busy += 1
        environment = self.lmdb
        try:
            if not self._broken:
                return environment.begin(write=write)
        except lmdb.PanicError:
            pass
        except lmdb.Error as error:
            state.busy -= 1
            raise translated(error, self.folder) from error
        except BaseException:
            state.busy -= 1
            raise
        state.busy -= 1
        self._reopen(environment)
        return self.begin(state, write)

    def commit(self, transaction: "lmdb.Transaction[bytes]", state: ThreadState) -> None:
        """Durable when it returns. An unknown outcome is settled by the record that this process leaves in each commit.

        Raises UnavailableError when nothing was kept, OutcomeUnknownError when not even that could be found out.
        """
        transaction_id = transaction.id()
        opened, state.opened = state.opened, {}
        try:
            record = NONCE.pack(transaction_id, int(self._clock.now_ms() * 1e6))
            transaction.put(self._nonce_key, record, db=self.handles[META])
            transaction.commit()
        except lmdb.Error as error:
            transaction.abort()
            state.busy -= 1
            if not self._was_committed(state, transaction_id, error):
                raise translated(error, self.folder) from error
        else:
            state.busy -= 1
            self.handles.update(opened)

    def end_child(self) -> NoReturn:
        """Ends a child that a function of the application has forked, and that came back from it. It would commit what
        its parent commits, and free its parent's place among the readers; so nothing is closed or flushed either."""
        os.write(2, b"adsindex: a child that a function forked has returned into the index; it ends here (os._exit)\n")
        os._exit(_CHILD_ENDED)

    def find(self, name: str) -> bool:
        """Whether there is such a database; then it is in `handles`. While looking: making one waits for who writes."""
        try:
            self.handles[name] = self.lmdb.open_db(name.encode(), create=False)
        except lmdb.NotFoundError:
            return False
        return True

    def _joined(self, state: ThreadState) -> None:
        with self._lock:
            self._threads = [other for other in self._threads if other.owner.is_alive()] + [state]

    def _opened(self) -> lmdb.Environment:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name, make in (("data.mdb", self._make_data), ("lock.mdb", self._make_lock)):
                _whole(self.folder / name, self._nonce_key.hex(), make)
            environment = self._environment()
        except (lmdb.Error, OSError) as error:
            if isinstance(error, lmdb.DiskError | lmdb.CorruptedError | lmdb.PageNotFoundError | lmdb.MapFullError):
                raise translated(error, self.folder) from error
            if isinstance(error, OSError) and error.errno in _FULL:
                raise UnavailableError(
                    f"the disk that holds {self.folder} is full. Free some space ({error})"
                ) from error
            raise SettingsError(f"the data folder {self.folder} can't be opened: {error}") from error
        return environment

    def _environment(self) -> lmdb.Environment:
        environment = lmdb.open(
            str(self.folder),
            map_size=self._map_bytes,
            max_readers=self._readers_max,
            max_dbs=_DATABASES_MAX,
            max_spare_txns=4,
            readonly=self.looking,
            lib_version=0,  # LMDB 0.9: one file format, whatever the library prefers
        )
        environment.reader_check()
        try:
            for name in self.handles.keys() | {META}:
                self.handles[name] = environment.open_db(name.encode(), create=not self.looking)
        except lmdb.NotFoundError:  # the folder is being made just now
            environment.close()
            self.looking = False
            return self._environment()
        return environment

    def _make_data(self, path: Path) -> None:
        lmdb.open(str(path), map_size=self._map_bytes, subdir=False, lock=False, lib_version=0).close()

    def _make_lock(self, path: Path) -> None:
        path.write_bytes(bytes(_LOCK_BYTES + _READER_BYTES * self._readers_max))

    def _was_committed(self, state: ThreadState, transaction_id: int, error: lmdb.Error) -> bool:
        try:
            transaction = self.begin(state, write=False)
            try:
                stored = transaction.get(self._nonce_key, db=self.handles[META])
            finally:
                transaction.abort()
                state.busy -= 1
        except (lmdb.Error, AdsIndexError) as second:
            raise OutcomeUnknownError(
                f"a commit to {self.folder} failed ({error}), and so did looking whether it happened ({second}). "
                "Mend the disk and start again: what was committed is there, the rest is done again"
            ) from error
        return stored is not None and NONCE.unpack(stored)[0] == transaction_id

    def _reopen(self, broken: lmdb.Environment) -> None:
        """LMDB refuses an environment whose last commit failed half-way. Waits until no thread is in a transaction."""
        if self.forked:
            self.end_child()
        with self._lock:
            if self.lmdb is not broken:
                return
            self._broken = True  # stays so when opening fails: then the next one tries again
            until_ms = self._clock.monotonic_ms() + _REOPEN_WAIT_MS
            while any(state.busy for state in self._threads):
                if self._clock.monotonic_ms() > until_ms:
                    raise UnavailableError(
                        f"{self.folder} must be opened again after an I/O error, but a transaction on it does not end"
                    )
                time.sleep(0.001)
            broken.close()
            self.looking = False
            self.lmdb = self._opened()
            self._broken = False


def _whole(path: Path, owner: str, make: Callable[[Path], None]) -> None:
    """Makes a file that isn't there, under another name first. LMDB itself would leave half a data file on a full disk,
    which nobody can open again, and a lock file with holes: who touches one is killed by SIGBUS, without a word."""
    if path.exists():
        return
    unfinished = path.with_name(f"{path.name}.{owner}.new")
    try:
        make(unfinished)
        os.link(unfinished, path)
    except OSError as error:  # else: another process was faster; or no links here, and LMDB makes it
        if error.errno in _FULL:
            raise
    finally:
        unfinished.unlink(missing_ok=True)


_open_stores: "WeakSet[Store]" = WeakSet()


def _in_child() -> None:
    for store in _open_stores:
        store.forked = store._broken = True


os.register_at_fork(after_in_child=_in_child)
