"""The cell that holds garbage collection back: every change is kept, whatever becomes of its answers."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from proto.errors import CorruptionError, TooOldError, UnavailableError
from repo.hbase.gc_state import FAMILIES, GcState, GcStateCell, Lease
from repo.hbase.memory import MemoryCells
from tests.support.engines import ManualClock


class Answers(MemoryCells):
    """What becomes of a check_and_put: `spoil` is called with it, and answers in its place."""

    def __init__(self) -> None:
        super().__init__(ManualClock())
        self.require({"gc": FAMILIES})
        self.spoil: Callable[[Callable[[], bool]], bool] | None = None

    def check_and_put(self, table: str, row: bytes, column: bytes, expected: bytes | None, value: bytes) -> bool:
        def call() -> bool:
            return MemoryCells.check_and_put(self, table, row, column, expected, value)

        spoil, self.spoil = self.spoil, None
        return spoil(call) if spoil else call()


@pytest.fixture
def cells() -> Answers:
    return Answers()


def raised(state: GcState) -> GcState:
    return replace(state, watermark=state.watermark + 10)


def test_nothing_is_promised_at_first(cells: Answers) -> None:
    assert GcStateCell(cells, "gc", b"one").read() == GcState()


def test_changes_of_two_processes_add_up(cells: Answers) -> None:
    one, other = GcStateCell(cells, "gc", b"one"), GcStateCell(cells, "gc", b"other")

    def overtaken(call: Callable[[], bool]) -> bool:
        other.change(lambda state: replace(state, leases=(Lease(b"x", 1, 2),)))
        return call()

    cells.spoil = overtaken
    one.change(raised)
    state = other.read()
    assert (state.watermark, state.leases) == (10, (Lease(b"x", 1, 2),))


def test_a_lost_answer_is_told_by_what_is_stored(cells: Answers) -> None:
    def lost(call: Callable[[], bool]) -> bool:
        call()
        raise UnavailableError("no answer")

    def never_sent(call: Callable[[], bool]) -> bool:
        raise UnavailableError("no answer")

    def second_attempt(call: Callable[[], bool]) -> bool:
        call()
        return call()

    state = GcStateCell(cells, "gc", b"one")
    for number, spoil in enumerate((lost, never_sent, second_attempt), start=1):
        cells.spoil = spoil
        assert state.change(raised).watermark == 10 * number
        assert state.read().watermark == 10 * number


def test_equal_changes_of_two_processes_are_told_apart(cells: Answers) -> None:
    """Without the nonce a lost answer could be another's success."""
    one, other = GcStateCell(cells, "gc", b"one"), GcStateCell(cells, "gc", b"other")

    def overtaken(call: Callable[[], bool]) -> bool:
        other.change(raised)
        raise UnavailableError("no answer")

    cells.spoil = overtaken
    assert one.change(raised).watermark == 20


def test_a_change_that_changes_nothing_writes_nothing(cells: Answers) -> None:
    state = GcStateCell(cells, "gc", b"one")
    before = state.change(raised)
    cells.spoil = lambda call: pytest.fail("written")
    assert state.change(lambda same: same) == before


def test_a_snapshot_below_the_watermark_is_too_old(cells: Answers) -> None:
    state = GcStateCell(cells, "gc", b"one")
    state.change(raised)
    assert state.check(10) == 10
    with pytest.raises(TooOldError, match="10"):
        GcStateCell(cells, "gc", b"other").check(9)


def test_a_state_of_another_shape_is_corruption(cells: Answers) -> None:
    cells.put("gc", 1, {b"gc": {b"s:state": b"\xc1"}})
    with pytest.raises(CorruptionError, match="garbage"):
        GcStateCell(cells, "gc", b"one").read()
