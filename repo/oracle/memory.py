"""A state chain and a commit table in memory: an oracle without a store, for tests and to measure the oracle alone."""

from collections.abc import Sequence

from repo.oracle.storage import Batch, Taken


class MemoryStateChain:
    """Has one owner for ever: whoever holds it."""

    def __init__(self) -> None:
        self._ceiling = 0

    def take_over(self, now: int, window: int) -> Taken:
        epoch = self._ceiling
        self._ceiling = max(epoch, now) + window
        return Taken(epoch, self._ceiling, ())

    def advance(self, ceiling: int, batch: Batch) -> None:
        self._ceiling = ceiling


class MemoryCommitTable:
    """A dict, which grows for ever."""

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}

    def put(self, batch: Batch) -> None:
        self._rows.update(batch)

    def look_up(self, ids: Sequence[int]) -> dict[int, int]:
        rows = self._rows
        return {id: rows[id] for id in ids if id in rows}
