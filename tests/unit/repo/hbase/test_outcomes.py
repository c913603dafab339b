"""Lost outcomes are settled: by the oracle, and below the sweep horizon by what is left of the transaction."""

from collections.abc import Sequence

import pytest

from repo.api import OutcomeKind
from repo.hbase.memory import MemoryCells
from repo.hbase.names import DATA_FAMILIES
from repo.hbase.outcomes import Place, Settlement
from repo.hbase.shadow_cells import encode_shadow, shadow_column
from repo.oracle.port import Decision, Fate, Resolution
from tests.support.engines import ManualClock

TABLE, ROW, COLUMN, ID = "adsindex.t", b"row", b"d:a", 5


class Told:
    """An oracle that says one thing."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate

    def settle(self, ids: Sequence[int]) -> list[Resolution]:
        return [Resolution(self._fate, 7 if self._fate is Fate.COMMITTED else 0) for _ in ids]


def settled(fate: Fate, **versions: bytes) -> Decision:
    """versions: what is left of it, a `cell` or a `shadow`."""
    cells = MemoryCells(ManualClock())
    cells.require({TABLE: DATA_FAMILIES})
    columns = {"cell": COLUMN, "shadow": shadow_column(COLUMN)}
    for name, value in versions.items():
        cells.put(TABLE, ID, {ROW: {columns[name]: value}})
    return Settlement(cells, Told(fate)).settle({ID: [Place(TABLE, ROW, COLUMN)]})[ID]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fate", "decision"),
    [
        (Fate.COMMITTED, Decision(OutcomeKind.COMMITTED, 7)),
        (Fate.ABORTED, Decision(OutcomeKind.TOO_OLD)),
        (Fate.UNDECIDED, Decision(OutcomeKind.UNKNOWN)),
        (Fate.NOT_MINE, Decision(OutcomeKind.UNKNOWN)),
    ],
)
def test_the_oracle_tells(fate: Fate, decision: Decision) -> None:
    assert settled(fate, cell=b"x") == decision


def test_of_a_swept_id_the_shadow_cell_tells() -> None:
    assert settled(Fate.SWEPT, cell=b"x", shadow=encode_shadow(9)) == Decision(OutcomeKind.COMMITTED, 9)


def test_a_swept_id_without_shadow_cells_was_not_committed() -> None:
    assert settled(Fate.SWEPT, cell=b"x") == Decision(OutcomeKind.TOO_OLD)


def test_a_swept_id_of_which_nothing_is_left_may_have_been_committed_and_collected() -> None:
    assert settled(Fate.SWEPT) == Decision(OutcomeKind.UNKNOWN)
