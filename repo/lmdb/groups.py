"""Context managers of the environment: a group of writes, a write in it, a read."""

from collections.abc import Callable

import lmdb

from proto.errors import UnavailableError
from repo.lmdb.faults import translated
from repo.lmdb.store import Store, ThreadState


class Group:
    """Nests. Only the outermost exit commits; an error that leaves any of them undoes all."""

    __slots__ = ("_committed", "_state", "_store")

    def __init__(self, store: Store, state: ThreadState, committed: Callable[[], None]) -> None:
        """committed: called after a durable commit."""
        self._store, self._state, self._committed = store, state, committed

    def __enter__(self) -> None:
        self._state.depth += 1

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._store.forked:
            self._store.end_child()
        state = self._state
        state.depth -= 1
        transaction, outermost = state.transaction, state.depth == 0
        if error is not None:
            state.doomed = not outermost
            self._abort(transaction)
            if isinstance(error, lmdb.Error):
                raise translated(error, self._store.folder) from error
        elif outermost and state.doomed:
            state.doomed = False
            raise UnavailableError("an error inside this group undid all of it; nothing was kept")
        elif outermost and transaction is not None:
            state.transaction = None
            self._store.commit(transaction, state)
            self._committed()

    def _abort(self, transaction: "lmdb.Transaction[bytes] | None") -> None:
        if transaction is not None:
            self._state.transaction = None
            self._state.opened = {}
            transaction.abort()
            self._state.busy -= 1


class Write(Group):
    """A group that begins its transaction at once, or joins the one around it."""

    __slots__ = ()

    def __enter__(self) -> "lmdb.Transaction[bytes]":  # type: ignore[override]
        state = self._state
        if state.doomed:
            raise UnavailableError("an error inside this group undid all of it; nothing more can be written in it")
        if state.transaction is None:
            state.transaction = self._store.begin(state, write=True)
        state.depth += 1
        return state.transaction


class Joined:
    """A read in the thread's write transaction, so that a group sees its own writes."""

    __slots__ = ("_state", "_store")

    def __init__(self, store: Store, state: ThreadState) -> None:
        self._store, self._state = store, state

    def __enter__(self) -> "lmdb.Transaction[bytes]":
        transaction = self._state.transaction
        assert transaction is not None
        return transaction

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, lmdb.Error):
            raise translated(error, self._store.folder) from error


class Read:
    """A read in a transaction of its own."""

    __slots__ = ("_state", "_store", "_transaction")

    def __init__(self, store: Store, state: ThreadState) -> None:
        self._store, self._state = store, state

    def __enter__(self) -> "lmdb.Transaction[bytes]":
        self._transaction = begun = self._store.begin(self._state, write=False)
        return begun

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._store.forked:
            self._store.end_child()
        self._transaction.abort()
        self._state.busy -= 1
        if isinstance(error, lmdb.Error):
            raise translated(error, self._store.folder) from error
