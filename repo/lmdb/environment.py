"""The one LMDB environment of a data folder: groups of writes that become durable together, reads, recovery after I/O errors.

Shared by the Repo's engine and the embedded log, so that data, messages and positions are one commit.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import Any

import lmdb

from proto.errors import AdsIndexError, OutcomeUnknownError, SettingsError, UnavailableError
from proto.ports.clock import Clock
from repo.lmdb.faults import translated

FORMAT_VERSION = 1
META = "meta"  # the environment's and the Repo's own few records

_FORMAT_KEY = b"format"
_NONCE_PREFIX = b"nonce/"
_NONCES_KEPT = 64
_NONCE = Struct(">QQ")  # transaction id, wall clock in ns
_DATABASES_MAX = 64
_REOPEN_WAIT_S = 10.0

Database = Any  # lmdb._Database


class LmdbEnvironment:
    """Thread-safe; a group belongs to the thread that opened it. One instance a folder and process.

    commits: durable commits so far. on_commit: called after each of them, on the committing thread; must not raise.
    """

    def __init__(
        self, folder: Path, clock: Clock, nonce: bytes, map_bytes: int = 1 << 40, readers_max: int = 256
    ) -> None:
        """Opens or creates. Raises SettingsError for a folder of a newer format, or one that this process has open already.

        nonce: random, of this process; names its commits.
        """
        self.folder = folder
        self.commits = 0
        self.on_commit: list[Callable[[], None]] = []
        self.nonce = nonce
        self._clock = clock
        self._nonce_key = _NONCE_PREFIX + nonce
        self._map_bytes, self._readers_max = map_bytes, readers_max
        self._lock = threading.RLock()
        self._local = threading.local()
        self._threads: list[_Thread] = []
        self._broken = False
        self._handles: dict[str, Database] = {}
        self._lmdb = self._opened()
        self._check_format()

    def database(self, name: str) -> Database:
        """The named database, created when it is first asked for. Ask each time: handles change when the environment is reopened.

        Not inside a `read()` that should see it: a read that began earlier doesn't know a database opened later.
        """
        handle = self._handles.get(name)
        if handle is not None:
            return handle
        thread = self._thread()
        if name in thread.opened:
            return thread.opened[name]
        if thread.transaction is None and self._open_existing(name):
            return self._handles[name]
        with self.write() as transaction:
            thread.opened[name] = handle = self._lmdb.open_db(name.encode(), txn=transaction)
        return handle

    def group(self) -> AbstractContextManager[None]:
        """See proto.ports.log.Durable. Raises UnavailableError at exit when the commit failed; nothing of it is kept then."""
        return _Group(self, self._thread())

    def write(self) -> "AbstractContextManager[lmdb.Transaction[bytes]]":
        """The write transaction of this thread's group, begun if need be; outside a group: a group of its own."""
        return _Write(self, self._thread())

    def read(self) -> "AbstractContextManager[lmdb.Transaction[bytes]]":
        """This thread's write transaction if one has begun, else a read transaction of its own. Leave it soon: it holds back reuse of pages."""
        return _Read(self, self._thread())

    def writing(self) -> bool:
        """Whether this thread's group has already begun to write: what is added now costs no commit of its own."""
        return self._thread().transaction is not None

    def inside_group(self) -> bool:
        """Whether this thread has a group open."""
        return self._thread().depth > 0

    def last_transaction_id(self) -> int:
        """Of the newest commit of any process; cheap (no transaction)."""
        return self._lmdb.info()["last_txnid"]

    def check_readers(self) -> int:
        """Clears the slots of readers that died; returns how many. Once a minute is enough."""
        return self._lmdb.reader_check()

    def size_bytes(self) -> int:
        """Bytes of the data file that are or were in use."""
        return (self._lmdb.info()["last_pgno"] + 1) * self._lmdb.stat()["psize"]

    def close(self) -> None:
        """Ends open transactions without committing them."""
        self._lmdb.close()

    # What follows is for the context managers below.

    def begin_write(self) -> "lmdb.Transaction[bytes]":
        """Waits for the writer lock."""
        environment = self._lmdb
        try:
            if not self._broken:
                return environment.begin(write=True)
        except lmdb.PanicError:
            pass
        self._recover(environment)
        return self._lmdb.begin(write=True)

    def begin_read(self, thread: "_Thread") -> "lmdb.Transaction[bytes]":
        """Counts the reader, so that reopening waits for it."""
        thread.busy += 1
        environment = self._lmdb
        try:
            if not self._broken:
                return environment.begin()
        except lmdb.PanicError:
            pass
        except BaseException:
            thread.busy -= 1
            raise
        thread.busy -= 1
        self._recover(environment)
        thread.busy += 1
        return self._lmdb.begin()

    def commit(self, transaction: "lmdb.Transaction[bytes]", thread: "_Thread") -> None:
        """Durable when it returns; settles an unknown outcome by the record that this process leaves in each of its commits."""
        environment, transaction_id = self._lmdb, transaction.id()
        opened, thread.opened = thread.opened, {}
        try:
            record = _NONCE.pack(transaction_id, int(self._clock.now_ms() * 1e6))
            transaction.put(self._nonce_key, record, db=self._handles[META])
            transaction.commit()
        except lmdb.Error as error:
            transaction.abort()
            thread.busy -= 1
            self._settle(environment, transaction_id, error)
        else:
            thread.busy -= 1
            self._handles.update(opened)
        with self._lock:
            self.commits += 1
        for callback in self.on_commit:
            callback()

    def _thread(self) -> "_Thread":
        try:
            thread: _Thread = self._local.thread
        except AttributeError:
            thread = self._local.thread = _Thread()
            with self._lock:
                self._threads = [other for other in self._threads if other.owner.is_alive()] + [thread]
        return thread

    def _opened(self) -> lmdb.Environment:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            environment = lmdb.open(
                str(self.folder),
                map_size=self._map_bytes,
                max_readers=self._readers_max,
                max_dbs=_DATABASES_MAX,
                max_spare_txns=4,
                lib_version=0,  # LMDB 0.9: one file format, whatever the library prefers
            )
            environment.reader_check()
            self._handles = {name: environment.open_db(name.encode()) for name in self._handles or (META,)}
        except (lmdb.LockError, lmdb.ReadonlyError, OSError) as error:
            raise SettingsError(f"the data folder {self.folder} can't be opened: {error}") from error
        except lmdb.Error as error:
            if "already open" in str(error) or isinstance(error, lmdb.VersionMismatchError | lmdb.InvalidError):
                raise SettingsError(f"the data folder {self.folder} can't be opened: {error}") from error
            raise translated(error, self.folder) from error
        return environment

    def _check_format(self) -> None:
        with self.read() as transaction:
            stored = transaction.get(_FORMAT_KEY, db=self._handles[META])
        if stored is not None and int(stored) > FORMAT_VERSION:
            self.close()
            raise SettingsError(
                f"the data in {self.folder} has format {int(stored)}, this program knows {FORMAT_VERSION}: use a newer program, or "
                f"`adsindex rebuild --data {self.folder}`, which throws the data away and makes it again from the sources"
            )
        if stored is None:
            with self.write() as transaction:
                transaction.put(_FORMAT_KEY, b"%d" % FORMAT_VERSION, overwrite=False, db=self._handles[META])
        self._forget_old_nonces()
        self.commits = 0

    def _forget_old_nonces(self) -> None:
        found = []
        with self.read() as transaction, transaction.cursor(self._handles[META]) as cursor:
            more = cursor.set_range(_NONCE_PREFIX)
            while more and cursor.key().startswith(_NONCE_PREFIX):
                found.append((_NONCE.unpack(cursor.value())[1], cursor.key()))
                more = cursor.next()
        if len(found) > _NONCES_KEPT:
            with self.write() as transaction:
                for _, key in sorted(found)[:-_NONCES_KEPT]:
                    transaction.delete(key, db=self._handles[META])

    def _open_existing(self, name: str) -> bool:
        try:
            with self.begin_write() as transaction:  # changes nothing, so nothing is synced
                self._handles[name] = self._lmdb.open_db(name.encode(), txn=transaction, create=False)
        except lmdb.NotFoundError:
            return False
        except lmdb.Error as error:
            raise translated(error, self.folder) from error
        return True

    def _settle(self, environment: lmdb.Environment, transaction_id: int, error: lmdb.Error) -> None:
        """Returns when the commit happened after all."""
        try:
            with self.read() as transaction:
                stored = transaction.get(self._nonce_key, db=self._handles[META])
        except (lmdb.Error, AdsIndexError) as second:
            raise OutcomeUnknownError(
                f"a commit to {self.folder} failed ({error}), and so did reading what it left ({second})"
            ) from error
        if stored is None or _NONCE.unpack(stored)[0] != transaction_id:
            raise translated(error, self.folder) from error

    def _recover(self, broken: lmdb.Environment) -> None:
        """Opens the environment again after an error in the middle of a commit, once no thread is inside a transaction."""
        with self._lock:
            if self._lmdb is not broken:
                return
            self._broken = True  # also when opening fails: then the next one tries again
            self._wait_for_threads()
            broken.close()
            self._lmdb = self._opened()
            self._broken = False

    def _wait_for_threads(self) -> None:
        until_ms = self._clock.monotonic_ms() + _REOPEN_WAIT_S * 1000
        while any(thread.busy for thread in self._threads):
            if self._clock.monotonic_ms() > until_ms:
                raise UnavailableError(
                    f"{self.folder} must be opened again after an I/O error, but a read on it does not end"
                )
            time.sleep(0.001)


class _Thread:
    """What one thread has open. busy: its LMDB transactions."""

    __slots__ = ("busy", "depth", "doomed", "opened", "owner", "transaction")

    def __init__(self) -> None:
        self.owner = threading.current_thread()
        self.depth = self.busy = 0
        self.doomed = False
        self.transaction: lmdb.Transaction[bytes] | None = None
        self.opened: dict[str, Database] = {}


class _Group:
    __slots__ = ("_environment", "_thread")

    def __init__(self, environment: LmdbEnvironment, thread: _Thread) -> None:
        self._environment, self._thread = environment, thread

    def __enter__(self) -> None:
        self._thread.depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        thread = self._thread
        thread.depth -= 1
        transaction = thread.transaction
        if error is not None:
            thread.doomed = thread.depth > 0
            if transaction is not None:
                thread.transaction = None
                thread.opened = {}
                transaction.abort()
                thread.busy -= 1
            if isinstance(error, lmdb.Error):
                raise translated(error, self._environment.folder) from error
        elif thread.depth == 0:
            if thread.doomed:
                thread.doomed = False
                raise UnavailableError("an error inside this group undid all of it; nothing was kept")
            if transaction is not None:
                thread.transaction = None
                self._environment.commit(transaction, thread)


class _Write(_Group):
    __slots__ = ()

    def __enter__(self) -> "lmdb.Transaction[bytes]":  # type: ignore[override]
        thread = self._thread
        if thread.doomed:
            raise UnavailableError("an error inside this group undid all of it; nothing more can be written in it")
        if thread.transaction is None:
            try:
                thread.transaction = self._environment.begin_write()
            except lmdb.Error as error:
                raise translated(error, self._environment.folder) from error
            thread.busy += 1
        thread.depth += 1
        return thread.transaction


class _Read:
    __slots__ = ("_environment", "_thread", "_transaction")

    def __init__(self, environment: LmdbEnvironment, thread: _Thread) -> None:
        self._environment, self._thread = environment, thread

    def __enter__(self) -> "lmdb.Transaction[bytes]":
        joined = self._thread.transaction
        self._transaction: lmdb.Transaction[bytes] | None = None
        if joined is not None:
            return joined
        try:
            self._transaction = begun = self._environment.begin_read(self._thread)
        except lmdb.Error as error:
            raise translated(error, self._environment.folder) from error
        return begun

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._transaction is not None:
            self._transaction.abort()
            self._thread.busy -= 1
        if isinstance(error, lmdb.Error):
            raise translated(error, self._environment.folder) from error
