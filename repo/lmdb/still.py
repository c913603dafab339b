"""A snapshot for which the store stands still: one LMDB read transaction holds its timestamp, its rows and its indexes.

Index entries have no versions. A build that read them a moment later than its rows would mix two source transactions.
"""

from contextlib import AbstractContextManager
from typing import Self

import lmdb

from proto.errors import UnavailableError
from repo.lmdb.environment import LmdbEnvironment
from repo.lmdb.layout import LAST_TIMESTAMP, stored_timestamp
from repo.lmdb.snapshot import LmdbSnapshot
from repo.lmdb.store import META


class StillSnapshot(LmdbSnapshot):
    """See Repo.snapshot(still=True). Reads only while it is entered; its timestamp is taken then."""

    _held: "lmdb.Transaction[bytes] | None" = None

    def __enter__(self) -> Self:
        environment: LmdbEnvironment = self._environment
        self._read = environment.read()
        self._held = transaction = self._read.__enter__()
        self._joined = _Joined(transaction)
        self._timestamp = stored_timestamp(transaction.get(LAST_TIMESTAMP, db=environment.databases[META]))
        return self

    def __exit__(self, *exc: object) -> None:
        if self._held is not None:
            self._held = None
            self._read.__exit__(None, None, None)

    def _reading(self) -> "AbstractContextManager[lmdb.Transaction[bytes]]":
        if self._held is None:
            raise UnavailableError("a still snapshot can be read inside `with` only")
        return self._joined


class _Joined:
    """The held transaction, for a `with` that does not end it."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: "lmdb.Transaction[bytes]") -> None:
        self._transaction = transaction

    def __enter__(self) -> "lmdb.Transaction[bytes]":
        return self._transaction

    def __exit__(self, *exc: object) -> None: ...
