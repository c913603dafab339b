"""The chain: one owner at a time lengthens it, whatever is lost, late or doubled."""

import pytest

from proto.errors import CorruptionError, FencedError
from repo.hbase.state_cell import FAMILIES, OracleState, StateCell
from tests.support.scripted_cells import Fault, ScriptedCells

TABLE = "adsindex_oracle"
FIRST, SECOND = b"1" * 16, b"2" * 16
BATCH = ((11, 13), (12, 14))
WINDOW = 100


@pytest.fixture
def cells() -> ScriptedCells:
    cells = ScriptedCells()
    cells.require({TABLE: FAMILIES})
    return cells


def stored(cells: ScriptedCells) -> OracleState:
    return OracleState.decoded(cells.get(TABLE, [b"oracle"], [b"s:state"])[b"oracle"][b"s:state"].value)


def test_the_bytes_come_back() -> None:
    state = OracleState(FIRST, epoch=1, sequence=2, ceiling=3, batch=BATCH)
    assert OracleState.decoded(state.encoded()) == state
    assert state.encoded() != state._replace(nonce=SECOND).encoded()


@pytest.mark.parametrize("bad", [b"", b"?", OracleState(FIRST, 1, 2, 3, BATCH).encoded()[:-1]])
def test_other_bytes_are_corruption(bad: bytes) -> None:
    with pytest.raises(CorruptionError):
        OracleState.decoded(bad)


def test_the_first_owner_begins_at_nothing(cells: ScriptedCells) -> None:
    assert StateCell(cells, TABLE, FIRST).take_over(1_000, WINDOW) == (0, 1_100, ())


def test_the_next_epoch_is_the_ceiling_before_also_when_the_clock_went_back(cells: ScriptedCells) -> None:
    StateCell(cells, TABLE, FIRST).take_over(1_000, WINDOW)
    assert StateCell(cells, TABLE, SECOND).take_over(5, WINDOW) == (1_100, 1_200, ())


def test_a_take_over_keeps_the_batch_until_the_next_flush(cells: ScriptedCells) -> None:
    chain = StateCell(cells, TABLE, FIRST)
    chain.take_over(10, WINDOW)
    chain.advance(110, BATCH)
    assert StateCell(cells, TABLE, SECOND).take_over(20, WINDOW).batch == BATCH
    assert StateCell(cells, TABLE, FIRST).take_over(30, WINDOW).batch == BATCH


def test_who_was_taken_over_is_fenced_and_has_changed_nothing(cells: ScriptedCells) -> None:
    former, owner = StateCell(cells, TABLE, FIRST), StateCell(cells, TABLE, SECOND)
    former.take_over(10, WINDOW)
    owner.take_over(20, WINDOW)
    before = stored(cells)
    with pytest.raises(FencedError):
        former.advance(200, BATCH)
    assert stored(cells) == before
    owner.advance(300, BATCH)


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNHEARD, Fault.TWICE])
def test_an_answer_that_says_little_is_looked_up(cells: ScriptedCells, fault: Fault) -> None:
    chain = StateCell(cells, TABLE, FIRST)
    cells.script("cas", fault, fault)
    cells.script("get", Fault.NONE, Fault.LOST)
    chain.take_over(10, WINDOW)
    cells.script("cas", fault)
    chain.advance(120, BATCH)
    assert stored(cells) == OracleState(FIRST, epoch=0, sequence=2, ceiling=120, batch=BATCH)


def test_a_late_one_changes_nothing_more(cells: ScriptedCells) -> None:
    chain = StateCell(cells, TABLE, FIRST)
    cells.script("cas", Fault.LATE)
    chain.take_over(10, WINDOW)
    cells.script("cas", Fault.LATE)
    chain.advance(120, BATCH)
    chain.advance(130, ())
    before = stored(cells)
    cells.land()
    assert stored(cells) == before


def test_a_late_one_of_a_former_owner_changes_nothing(cells: ScriptedCells) -> None:
    owner = StateCell(cells, TABLE, SECOND)
    former = StateCell(cells, TABLE, FIRST, pause=lambda attempt: owner.take_over(20, WINDOW))
    former.take_over(10, WINDOW)
    cells.script("cas", Fault.LATE)
    with pytest.raises(FencedError):
        former.advance(200, BATCH)
    before = stored(cells)
    cells.land()
    assert stored(cells) == before


def test_a_candidate_that_loses_the_race_reads_again(cells: ScriptedCells) -> None:
    """Between its read and its compare-and-set somebody else took over: that one's batch must not be lost."""
    other = StateCell(cells, TABLE, SECOND)

    def faster() -> None:
        other.take_over(10, WINDOW)
        other.advance(120, BATCH)

    cells.before("cas", faster)
    assert StateCell(cells, TABLE, FIRST).take_over(10, WINDOW) == (120, 220, BATCH)


def test_two_candidates_never_take_each_others_success_for_their_own(cells: ScriptedCells) -> None:
    """Without the nonce both would write equal bytes, and what the other one wrote would look like a success."""
    one, two = StateCell(cells, TABLE, FIRST), StateCell(cells, TABLE, SECOND)
    cells.before("cas", lambda: two.take_over(10, WINDOW))
    assert one.take_over(10, WINDOW).epoch == 110
    with pytest.raises(FencedError):
        two.advance(120, BATCH)
