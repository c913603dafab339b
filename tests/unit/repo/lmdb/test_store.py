"""A commit whose outcome LMDB could not tell is settled by the record that each commit leaves."""

import resource
from pathlib import Path

import lmdb
import pytest

from proto.errors import UnavailableError
from repo.lmdb.store import META, Store
from tests.support.engines import ManualClock

PAGE = 4096


class FailingTransaction:
    """A write transaction whose commit reports an I/O error, before or after it became durable."""

    def __init__(self, real: "lmdb.Transaction[bytes]", durable: bool) -> None:
        self._real, self._durable = real, durable
        self.id, self.put, self.abort = real.id, real.put, real.abort

    def commit(self) -> None:
        if self._durable:
            self._real.commit()
        else:
            self._real.abort()
        raise lmdb.DiskError("mdb_txn_commit: Input/output error")


def commit(store: Store, key: bytes, durable: bool) -> None:
    state = store.local.state
    transaction = store.begin(state, write=True)
    transaction.put(key, b"x", db=store.handles[META])
    store.commit(FailingTransaction(transaction, durable), state)  # type: ignore[arg-type]


def get(store: Store, key: bytes) -> bytes | None:
    state = store.local.state
    transaction = store.begin(state, write=False)
    value = transaction.get(key, db=store.handles[META])
    transaction.abort()
    state.busy -= 1
    return value


def test_a_commit_that_happened_in_spite_of_the_error_counts_as_committed(tmp_path: Path) -> None:
    store = Store(tmp_path, ManualClock(), b"nonce", 1 << 30, 8)
    commit(store, b"a", durable=True)
    assert get(store, b"a") == b"x"
    with pytest.raises(UnavailableError, match="full or failing"):
        commit(store, b"b", durable=False)
    assert get(store, b"b") is None
    commit(store, b"b", durable=True)
    assert get(store, b"b") == b"x"
    assert store.local.state.busy == 0
    store.lmdb.close()


def test_a_folder_that_a_full_disk_kept_from_being_made_can_be_made_later(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE, hard))  # half of the two pages that LMDB begins with
    try:
        with pytest.raises(UnavailableError, match="Free some space"):
            Store(tmp_path, ManualClock(), b"nonce", 1 << 30, 8)
        assert list(tmp_path.iterdir()) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    Store(tmp_path, ManualClock(), b"nonce", 1 << 30, 8).lmdb.close()
    lock = (tmp_path / "lock.mdb").stat()
    assert lock.st_blocks * 512 >= lock.st_size, "a hole that a full disk can't fill kills who writes there"
    assert len(list(tmp_path.iterdir())) == 2
