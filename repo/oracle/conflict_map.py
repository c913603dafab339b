"""When each cell was last committed, in a fixed amount of memory: Omid's conflict map, with rotating generations.

A generation is a hash table in two arrays, 16 bytes a slot. When the current one is full, it becomes the previous one,
and what the previous one held is forgotten. The *watermark* is the highest timestamp that may have been forgotten: a
transaction whose snapshot is below it can't be judged.
"""

from array import array
from collections.abc import Sequence
from typing import NamedTuple

FILL_MAX = 0.6  # of a generation's slots: a cell that isn't there costs 3.6 looks on average then


class Conflict(NamedTuple):
    """A cell that was committed after the snapshot, and when."""

    cell_id: int
    timestamp: int


class ConflictMap:
    """Signed 64-bit cell ids -> last commit timestamp. Cell ids are hashes, so their low bits are as good as random."""

    def __init__(self, cells_max: int, watermark: int = 0) -> None:
        """Holds the last `cells_max` cells at most, about half of them at least.

        watermark: nothing is known of commits at or below it (F9: a new owner's epoch).
        """
        self._fill_max = max(1, cells_max // 2)
        slots = 1 << max(3, int(self._fill_max / FILL_MAX).bit_length())
        self.watermark = watermark
        self._current = _Generation(slots, watermark)
        self._previous = _Generation(slots, watermark)

    def conflict(self, snapshot: int, cells: Sequence[int]) -> Conflict | None:
        """The first of `cells` that was committed after `snapshot`, which is not below the watermark."""
        for generation in (self._current, self._previous):
            if generation.newest <= snapshot:
                continue  # nearly always true of the previous one
            stamps, keys, floor, mask = generation.stamps, generation.keys, generation.floor, generation.mask
            for cell in cells:
                slot = cell & mask
                while (stamp := stamps[slot]) > floor:
                    if keys[slot] == cell:
                        if stamp > snapshot:
                            return Conflict(cell, stamp)
                        break
                    slot = (slot + 1) & mask
        return None

    def record(self, timestamp: int, cells: Sequence[int]) -> None:
        """All of `cells` are committed at `timestamp`, which is above every one before."""
        for start in range(0, len(cells), self._fill_max):
            piece = cells[start : start + self._fill_max]
            if self._current.count + len(piece) > self._fill_max:
                self._rotate()
            self._current.record(timestamp, piece)

    def _rotate(self) -> None:
        self._current, self._previous = self._previous, self._current
        self.watermark = max(self.watermark, self._current.newest)
        self._current.forget()


class _Generation:
    """A slot is empty when its stamp is not above the floor; so all is forgotten, at no cost, by raising the floor."""

    __slots__ = ("count", "floor", "keys", "mask", "newest", "stamps")

    def __init__(self, slots: int, floor: int) -> None:
        self.keys = array("q", bytes(8 * slots))
        self.stamps = array("q", bytes(8 * slots))
        self.mask = slots - 1
        self.floor = self.newest = floor
        self.count = 0

    def record(self, timestamp: int, cells: Sequence[int]) -> None:
        stamps, keys, floor, mask = self.stamps, self.keys, self.floor, self.mask
        for cell in cells:
            slot = cell & mask
            while stamps[slot] > floor:
                if keys[slot] == cell:
                    break
                slot = (slot + 1) & mask
            else:
                keys[slot] = cell
                self.count += 1
            stamps[slot] = timestamp
        self.newest = timestamp

    def forget(self) -> None:
        self.floor = self.newest
        self.count = 0
