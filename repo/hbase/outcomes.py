"""Outcomes: what an oracle's decision means for a transaction, and how a lost one is settled."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from proto.errors import UnavailableError
from repo.api import OutcomeKind
from repo.hbase.cells import Cells
from repo.hbase.insist import insist
from repo.hbase.shadow_cells import decode_shadow, shadow_column
from repo.oracle.port import Decision, Fate, Resolution, TimestampOracle


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
            resolutions = insist(lambda: self._oracle.settle(ids))
            return {id: self._decision(id, found, written[id]) for id, found in zip(ids, resolutions, strict=True)}
        except UnavailableError:
            return {id: Decision(OutcomeKind.UNKNOWN) for id in ids}

    def _decision(self, id: int, found: Resolution, written: Iterable[Place]) -> Decision:
        if found.fate is Fate.COMMITTED:
            return Decision(OutcomeKind.COMMITTED, found.commit_timestamp)
        if found.fate is Fate.SWEPT:
            return self._swept(id, list(written))
        if found.fate is Fate.ABORTED:
            return Decision(OutcomeKind.TOO_OLD)
        return Decision(OutcomeKind.UNKNOWN)  # NOT_MINE: a former leader's answer, or a new one's too early

    def _swept(self, id: int, written: Sequence[Place]) -> Decision:
        """Below the sweep horizon every version that is left has its shadow cell, if it is committed (F8). Where none
        is left nobody knows any more: a committed version may have been collected."""
        for table, row, column in written:
            if (shadow := self._version(table, row, shadow_column(column), id)) is not None:
                return Decision(OutcomeKind.COMMITTED, decode_shadow(shadow))
        left = any(self._version(table, row, column, id) is not None for table, row, column in written)
        return Decision(OutcomeKind.TOO_OLD if left else OutcomeKind.UNKNOWN)

    def _version(self, table: str, row: bytes, column: bytes, id: int) -> bytes | None:
        found = self._cells.versions(table, row, column, before=id + 1, limit=1)
        return found[0].value if found and found[0].timestamp == id else None
