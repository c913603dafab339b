"""Outcomes: what an oracle's decision means for a transaction, and how a lost one is settled."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from proto.errors import UnavailableError
from repo.api import OutcomeKind
from repo.hbase.cells import Cells
from repo.hbase.shadow_cells import decode_shadow, shadow_column
from repo.oracle.port import Decision, Fate, Resolution, TimestampOracle

_ATTEMPTS = 3


class Place(NamedTuple):
    """Of one data cell, as HBase names it."""

    table: str
    row: bytes
    column: bytes


class Settlement:
    """A commit whose answer was lost is never sent again: the same id could be judged twice (F5). The oracle tells what
    became of it, and refuses for ever what it has not decided yet (F6)."""

    def __init__(self, cells: Cells, oracle: TimestampOracle) -> None:
        self._cells, self._oracle = cells, oracle

    def settle(self, written: Mapping[int, Iterable[Place]]) -> dict[int, Decision]:
        """written: by id, the cells of a transaction that carry it. UNKNOWN when no oracle can tell now; TOO_OLD for
        what was not committed and never will be."""
        ids = list(written)
        try:
            resolutions = _repeated(lambda: self._oracle.settle(ids))
            return {id: self._decision(id, found, written[id]) for id, found in zip(ids, resolutions, strict=True)}
        except UnavailableError:
            return {id: Decision(OutcomeKind.UNKNOWN) for id in ids}

    def _decision(self, id: int, found: Resolution, written: Iterable[Place]) -> Decision:
        if found.fate is Fate.COMMITTED:
            return Decision(OutcomeKind.COMMITTED, found.commit_timestamp)
        if found.fate is Fate.SWEPT:
            timestamp = self._shadow(id, written)
            return Decision(OutcomeKind.TOO_OLD) if timestamp is None else Decision(OutcomeKind.COMMITTED, timestamp)
        if found.fate is Fate.ABORTED:
            return Decision(OutcomeKind.TOO_OLD)
        return Decision(OutcomeKind.UNKNOWN)  # NOT_MINE: a former leader's answer, or a new one's too early

    def _shadow(self, id: int, written: Iterable[Place]) -> int | None:
        """Below the sweep horizon everything committed has its shadow cells (F8)."""
        for table, row, column in written:
            shadow = shadow_column(column)
            for stored in self._cells.versions(table, row, shadow, before=id + 1, limit=1):
                if stored.timestamp == id:
                    return decode_shadow(stored.value)
        return None


def _repeated(call: Callable[[], list[Resolution]]) -> list[Resolution]:
    """Settling twice does no harm."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return call()
        except UnavailableError:
            pass
    return call()
