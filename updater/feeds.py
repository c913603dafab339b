"""What became of the rows of a backfill: counted in the transaction that applies them, so exactly, through any kill."""

from proto.events import Unit
from repo.api import Snapshot, Transaction
from repo.system import FEED_STATES, STATE, FeedState, decode_feed_state, encode, feed_key


class Feeds:
    """The states of one source's feeds within one transaction."""

    def __init__(self, source: str, snapshot: Snapshot, transaction: Transaction) -> None:
        self._source, self._snapshot, self._transaction = source, snapshot, transaction
        self._states: dict[str, FeedState] = {}
        self._counted: set[str] = set()

    def count(self, unit: Unit, table: str, rows: int, written: int, older: int) -> None:
        """Adds a unit of a backfill. One that was counted before, and is offered again, is left alone."""
        state = self._states.get(table) or self._stored(table)
        if state.job != unit.job:
            state = FeedState(unit.job)
        self._states[table] = state
        if unit.row >= state.rows:
            self._counted.add(table)
            state.rows = unit.row + rows
            state.written += written
            state.older += older
            state.unchanged += rows - written - older

    def write(self) -> None:
        """At the end of the batch. A replay writes nothing."""
        for table in self._counted:
            state = self._states[table]
            self._transaction.write(FEED_STATES, feed_key(self._source, table), STATE, encode(state))

    def _stored(self, table: str) -> FeedState:
        (version,) = self._snapshot.read(FEED_STATES, STATE, [feed_key(self._source, table)])
        return FeedState("") if version is None or version.value is None else decode_feed_state(version.value)
