"""Ids that came with snapshots, for whoever commits what he has read there: Omid's start timestamps.

An id must be above the snapshot of its transaction, and of one transaction only. Those that are given out with a
snapshot save the commit a frame to the oracle. A process that only reads asks for none.
"""

from collections.abc import Sequence
from itertools import islice

from proto.ports.clock import Clock
from repo.oracle.port import TimestampOracle

_SPARE_MAX = 64
_SNAPSHOTS_A_COMMIT = 100
"""Who has not committed for so many snapshots only reads."""


class SpareIds:
    """Safe for threads as far as `oracle` is. age_ms_max: an older one is not used; well below the oracle's own limit,
    above which it refuses an id."""

    def __init__(self, oracle: TimestampOracle, clock: Clock, age_ms_max: float) -> None:
        self._oracle, self._clock, self._age_ms_max = oracle, clock, age_ms_max
        self._spare: dict[int, float] = {}  # id -> when it was asked for, oldest first
        self._likely = 0  # to be used: so many snapshots from now on

    def snapshot(self, at_least: int = 0) -> int:
        """The newest snapshot there is. Raises UnavailableError when no oracle reaches `at_least`."""
        if self._likely <= 0:
            return self._oracle.snapshot(at_least)
        self._likely -= 1
        asked_ms = self._clock.monotonic_ms()
        (begun,) = self._oracle.begin(1, at_least)
        self._spare[begun.id] = asked_ms
        for id in list(islice(self._spare, max(0, len(self._spare) - _SPARE_MAX))):
            self._spare.pop(id, None)
        return begun.snapshot

    def take(self, snapshots: Sequence[int], above: int = 0) -> list[int]:
        """For each an id above it, and above `above`, that nobody else has or gets. At most one frame to the oracle.
        above: an id that was given out before."""
        self._likely = _SNAPSHOTS_A_COMMIT
        taken = [self._spare_above(max(snapshot, above)) for snapshot in snapshots]
        absent = taken.count(None)
        more = iter(self._oracle.begin(absent, max(snapshots)) if absent else ())
        return [next(more).id if id is None else id for id in taken]

    def _spare_above(self, snapshot: int) -> int | None:
        oldest_ms = self._clock.monotonic_ms() - self._age_ms_max
        for id in list(self._spare):
            if id > snapshot and (asked_ms := self._spare.pop(id, None)) is not None and asked_ms >= oldest_ms:
                return id  # popped: no other thread can have it
        return None
