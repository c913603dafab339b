"""The one LMDB environment of a data folder: groups of writes that become durable together, and reads.

Shared by the Repo's engine and the embedded log, so that data, messages and positions are one commit.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import lmdb

from proto.errors import SettingsError
from proto.ports.clock import Clock
from repo.lmdb.groups import Group, Joined, Read, Write
from repo.lmdb.store import META, NONCE, NONCE_PREFIX, Database, Store

FORMAT_VERSION = 1

_FORMAT_KEY = b"format"
_NONCES_KEPT = 64


class LmdbEnvironment:
    """Safe for threads; a group belongs to the thread that opened it. One instance a folder and process.

    databases  handles of those that `database` was asked for; look there each time: they change after an I/O error
    commits    durable commits so far, of this process
    on_commit  called after each of them, on the committing thread; must not raise
    """

    def __init__(
        self, folder: Path, clock: Clock, nonce: bytes, map_bytes: int = 1 << 40, readers_max: int = 256, *,
        looking: bool = False,
    ) -> None:  # fmt: skip
        """Opens or creates. nonce: random, of this process; names its commits.

        looking: for tools. Until the first write nothing waits for whoever writes, who may hang.

        Raises SettingsError for a folder of a newer format, and for one that this process has open already.
        """
        self.folder = folder
        self.nonce = nonce
        self.commits = 0
        self.on_commit: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._store = Store(folder, clock, nonce, map_bytes, readers_max, looking)
        self._contexts = _Contexts(self._store, self._committed)
        self.databases = self._store.handles
        self._check_format()
        if not looking:
            self._forget_old_nonces()

    def database(self, name: str) -> Database:
        """The named database, created when it is first asked for. Outside of groups it is in `databases` from then on.

        Ask for each once before any `read()`: a read that has begun doesn't know a database that is opened later.
        """
        handle = self._store.handles.get(name)
        if handle is not None:
            return handle
        state = self._contexts.state
        if name in state.opened:
            return state.opened[name]
        if state.transaction is None and self._open_existing(name):
            return self._store.handles[name]
        with self.write() as transaction:
            state.opened[name] = handle = self._store.lmdb.open_db(name.encode(), txn=transaction)
        return handle

    def group(self) -> AbstractContextManager[None]:
        """See proto.ports.log.Durable. Raises UnavailableError at exit when nothing was kept."""
        return self._contexts.group

    def write(self) -> "AbstractContextManager[lmdb.Transaction[bytes]]":
        """The write transaction of this thread's group, begun if need be; outside a group: a group of its own."""
        return self._contexts.write

    def get(self, name: str, key: bytes) -> bytes | None:
        """One value of a database, as `read` sees it."""
        with self.read() as transaction:
            return transaction.get(key, None, self.databases[name])

    def read(self) -> "AbstractContextManager[lmdb.Transaction[bytes]]":
        """This thread's write transaction if one has begun, else a read transaction.

        Leave it within a second: while it is open, no page that it can see is used again.
        """
        contexts = self._contexts
        if contexts.state.transaction is not None:
            return contexts.joined
        return Read(self._store, contexts.state)

    def writing(self) -> bool:
        """Whether this thread's group has already begun to write: what is added now costs no commit of its own."""
        return self._contexts.state.transaction is not None

    def inside_group(self) -> bool:
        """Whether this thread has a group open."""
        return self._contexts.state.depth > 0

    def last_transaction_id(self) -> int:
        """Of the newest commit of any process; cheap (no transaction)."""
        return self._store.lmdb.info()["last_txnid"]

    def check_readers(self) -> int:
        """Clears the slots of readers that died; returns how many. Once a minute is enough."""
        return self._store.lmdb.reader_check()

    def size_bytes(self) -> int:
        """Bytes of the data file that are or were in use."""
        return (self._store.lmdb.info()["last_pgno"] + 1) * self._store.lmdb.stat()["psize"]

    def close(self) -> None:
        """Ends open transactions without committing them."""
        self._store.lmdb.close()

    def _committed(self) -> None:
        with self._lock:
            self.commits += 1
        for callback in self.on_commit:
            callback()

    def _open_existing(self, name: str) -> bool:
        if self._store.looking:
            return self._store.find(name)
        state = self._contexts.state
        transaction = self._store.begin(state, write=True)
        try:
            handle = self._store.lmdb.open_db(name.encode(), txn=transaction, create=False)
            transaction.commit()  # changes nothing, so nothing is synced
        except lmdb.NotFoundError:
            transaction.abort()
            return False
        finally:
            state.busy -= 1
        self._store.handles[name] = handle
        return True

    def _check_format(self) -> None:
        meta = self.database(META)
        with self.read() as transaction:
            stored = transaction.get(_FORMAT_KEY, db=meta)
        if stored is None:
            with self.write() as transaction:
                transaction.put(_FORMAT_KEY, b"%d" % FORMAT_VERSION, overwrite=False, db=meta)
        elif int(stored) > FORMAT_VERSION:
            self.close()
            raise SettingsError(
                f"the data in {self.folder} has format {int(stored)}, this program knows {FORMAT_VERSION}: use a newer "
                f"program, or `adsindex rebuild --data {self.folder}`, which makes the data again from the sources"
            )

    def _forget_old_nonces(self) -> None:
        found, meta = [], self.database(META)
        with self.read() as transaction, transaction.cursor(meta) as cursor:
            more = cursor.set_range(NONCE_PREFIX)
            while more and cursor.key().startswith(NONCE_PREFIX):
                found.append((NONCE.unpack(cursor.value())[1], cursor.key()))
                more = cursor.next()
        if len(found) > _NONCES_KEPT:
            with self.write() as transaction:
                for _, key in sorted(found)[:-_NONCES_KEPT]:
                    transaction.delete(key, db=meta)


class _Contexts(threading.local):
    """Those of the calling thread that hold nothing of their own: one of each will do.

    They are asked for a dozen times an edit.
    """

    def __init__(self, store: Store, committed: Callable[[], None]) -> None:
        self.state = state = store.local.state
        self.group = Group(store, state, committed)
        self.write = Write(store, state, committed)
        self.joined = Joined(store, state)
