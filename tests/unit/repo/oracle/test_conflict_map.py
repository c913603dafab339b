"""The conflict map against a dict that forgets nothing: it may say too little by its watermark only."""

from hypothesis import given
from hypothesis import strategies as st

from repo.oracle.conflict_map import Conflict, ConflictMap

CELLS = st.one_of(st.integers(-8, 8), st.sampled_from([-(2**63), 2**63 - 1, 8, 16, 24, 32, 64, 1 << 40]))
"""Few, so that they meet; many with the same low bits, so that they are in each other's way."""
COMMITS = st.lists(st.tuples(st.integers(1, 3), st.lists(CELLS, min_size=1, max_size=7)), max_size=60)


@given(COMMITS, st.integers(1, 40))
def test_what_is_at_or_above_the_watermark_is_known(commits: list[tuple[int, list[int]]], cells_max: int) -> None:
    held, all_of_them, now = ConflictMap(cells_max, watermark=5), dict[int, int](), 5
    for later, cells in commits:
        before, now = held.watermark, now + later
        held.record(now, cells)
        all_of_them.update(dict.fromkeys(cells, now))
        assert before <= held.watermark <= now
        for cell in (*cells, 0, 5, -(2**63)):
            last = all_of_them.get(cell, 0)
            for snapshot in (held.watermark, now - 1, now):
                if snapshot >= held.watermark:
                    wanted = Conflict(cell, last) if last > snapshot else None
                    assert held.conflict(snapshot, [cell]) == wanted


@given(COMMITS)
def test_nothing_is_forgotten_while_there_is_room(commits: list[tuple[int, list[int]]]) -> None:
    held = ConflictMap(2 * 420)
    for timestamp, (_, cells) in enumerate(commits, 1):
        held.record(timestamp, cells)
    assert held.watermark == 0


def test_the_last_half_is_never_forgotten() -> None:
    held = ConflictMap(cells_max=1_000)
    for timestamp in range(1, 5_000):
        held.record(timestamp, [timestamp * 7_919])
        assert held.watermark <= max(0, timestamp - 500)
    assert held.watermark > 3_900, "it rotates, and forgets"


def test_the_first_cell_that_conflicts_is_named_and_not_conflicts_before_the_snapshot() -> None:
    held = ConflictMap(100)
    held.record(10, [1, 2])
    held.record(20, [2, 3])
    assert held.conflict(10, [1, 3, 2]) == Conflict(3, 20)
    assert held.conflict(9, [1, 3]) == Conflict(1, 10)
    assert held.conflict(20, [1, 2, 3]) is None


def test_a_write_set_larger_than_the_map_raises_the_watermark_to_itself() -> None:
    held = ConflictMap(cells_max=10)
    held.record(7, range(1_000))
    assert held.watermark == 7
    held.record(8, [5])
    assert held.conflict(7, [5]) == Conflict(5, 8)
