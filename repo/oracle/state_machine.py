"""The oracle's decisions: requests and the time go in, answers and what is to be persisted come out.

No clock, no storage. Whoever drives it persists each `Flush` before an answer that rests on it is given: the state
cell first, then the rows of the commit table, then `flushed`. See transactions.md for the rules (F1, F5, ...).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from repo.api import OutcomeKind
from repo.oracle.conflict_map import ConflictMap
from repo.oracle.frames import IDS_A_BEGIN_MAX, BeginRequest, BegunRange
from repo.oracle.open_ids import OpenIds
from repo.oracle.port import TIMESTAMP_STEP, CommitRequest, Decision, Fate, Resolution
from repo.oracle.storage import Batch, Taken

NANOSECONDS_PER_MS = 1_000_000
_AGES_TOLD_APART = 60
"""So many steps the age limit has."""
TOO_OLD = Decision(OutcomeKind.TOO_OLD)
UNKNOWN = Decision(OutcomeKind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class OracleLimits:
    """Memory and times of an oracle.

    cells_max        cells in the conflict map, 32 bytes each
    age_ms_max       an id that was given out longer ago is refused (transactions hold back what may be swept)
    ceiling_ms       how far the ceiling is put above the present: so far are timestamps ahead of the time after a
                     take-over, at most; and a state cell is written so often when nobody commits
    flush_max        commits that are made durable at once
    remembered_max   of the ids committed last, how many are answered without looking into the commit table
    """

    cells_max: int = 5_000_000
    age_ms_max: int = 60_000
    ceiling_ms: int = 2_000
    flush_max: int = 2_000
    remembered_max: int = 200_000


class Flush(NamedTuple):
    """What is to be persisted next, by one compare-and-set of the state cell and one put of commit-table rows."""

    ceiling: int
    batch: Batch


class OracleStateMachine:
    """Timestamps: epoch < id or commit timestamp < ceiling. The *watermark* is the newest durable commit timestamp."""

    def __init__(self, taken: Taken, limits: OracleLimits) -> None:
        """After a take-over whose batch is in the commit table: every commit below the epoch is durable."""
        self.epoch = self.last = self.watermark = taken.epoch
        self._ceiling = taken.ceiling  # the durable one
        self._limits = limits
        self._now = taken.epoch
        # Nothing is known of the predecessors' commits, so nobody commits across the epoch (F9).
        self._conflicts = ConflictMap(limits.cells_max, watermark=taken.epoch)
        self._open = OpenIds()
        self._given: deque[tuple[float, int]] = deque()  # when which id was the last one; oldest first
        self._undurable: dict[int, int] = {}  # decided: id -> commit timestamp, in commit order
        self._remembered: dict[int, int] = {}  # durable, as far as remembered
        self._remembered_before: dict[int, int] = {}

    def tick(self, now_ms: float, monotonic_ms: float = 0.0) -> None:
        """Tells the time. It may go back; timestamps don't, and monotonic_ms doesn't: ids grow old all the same."""
        self._now = int(now_ms) * NANOSECONDS_PER_MS  # a multiple of TIMESTAMP_STEP
        age_ms_max = self._limits.age_ms_max
        self._open.expire(self._now - age_ms_max * NANOSECONDS_PER_MS)
        if not self._given or monotonic_ms - self._given[-1][0] >= age_ms_max / _AGES_TOLD_APART:
            self._given.append((monotonic_ms, self.last))
        while monotonic_ms - self._given[0][0] > age_ms_max:
            self._open.expire(self._given.popleft()[1] + 1)

    # begin

    def allot(self, request: BeginRequest) -> int | None:
        """The first of `id_count` ids. None: refused, for this oracle hasn't given out what the client knows; it is a
        former one (F13)."""
        if request.at_least > self.last or not 0 <= request.id_count <= IDS_A_BEGIN_MAX:
            return None
        first_id = self._next()
        ids = range(first_id, first_id + request.id_count * TIMESTAMP_STEP, TIMESTAMP_STEP)
        self.last = max(self.last, ids.stop - TIMESTAMP_STEP)
        self._open.give(ids)
        return first_id

    def snapshot(self, at_least: int = 0) -> int:
        """The newest snapshot in which nothing will ever change (F1). Reaches `at_least` if nothing is in flight."""
        if not self._undurable and self.watermark < at_least <= min(self.last, self._ceiling - 1):
            return at_least  # no commit lies between, nor ever will
        return self.watermark

    def begin(self, request: BeginRequest) -> BegunRange | None:
        """Without a flush, also while one is under way; None: not possible now."""
        snapshot = self.snapshot(request.at_least)
        if snapshot < request.at_least or self._next() + (request.id_count - 1) * TIMESTAMP_STEP >= self._ceiling:
            return None
        first_id = self.allot(request)
        return None if first_id is None else BegunRange(first_id, request.id_count, snapshot)

    def _next(self) -> int:
        return max(self.last - self.last % TIMESTAMP_STEP + TIMESTAMP_STEP, self._now)

    # commit

    def decide(self, requests: Sequence[CommitRequest]) -> list[Decision]:
        """One after another, each against those before it. COMMITTED holds when the next flush is durable; it never
        turns into anything else (F14)."""
        return [self._decide(request) for request in requests]

    def _decide(self, request: CommitRequest) -> Decision:
        id, snapshot, written, checked = request.id, request.snapshot, request.written, request.checked
        if not written or not snapshot < id:
            return TOO_OLD  # a client's mistake: version order would not be commit order
        if not self._open.take(id):
            # Not given out by this oracle, refused, or too old; or it comes a second time (F5).
            return UNKNOWN if self._committed(id) else TOO_OLD
        if snapshot < self._conflicts.watermark:
            return TOO_OLD
        conflict = self._conflicts.conflict(snapshot, written) or (
            self._conflicts.conflict(snapshot, checked) if checked else None
        )
        if conflict is not None:
            return Decision(OutcomeKind.CONFLICT, conflict.timestamp, conflict.cell_id)
        self.last = timestamp = self._next()
        self._conflicts.record(timestamp, written)
        self._undurable[id] = timestamp
        return Decision(OutcomeKind.COMMITTED, timestamp)

    # persist

    def flush(self) -> Flush | None:
        """What must be durable before anything since the last flush is answered; None: nothing."""
        if not self._undurable and self.last < self._ceiling:
            return None
        window = self._limits.ceiling_ms * NANOSECONDS_PER_MS
        ceiling = self._ceiling
        if self.last + window // 2 >= ceiling:
            ceiling = max(self.last, self._now) + window
        return Flush(ceiling, tuple(self._undurable.items()))

    def flushed(self, flush: Flush) -> None:
        """It is durable, in the state cell and in the commit table."""
        self._ceiling = flush.ceiling
        if flush.batch:
            self.watermark = flush.batch[-1][1]
            self._undurable.clear()
            self._remember(flush.batch)

    def _remember(self, batch: Batch) -> None:
        self._remembered.update(batch)
        if len(self._remembered) >= self._limits.remembered_max // 2:
            self._remembered_before, self._remembered = self._remembered, {}

    # outcomes

    def resolve(self, id: int) -> Resolution | None:
        """What is known of an id. None: the commit table knows, for ever."""
        if id > self.last:
            return Resolution(Fate.NOT_MINE)
        if id <= 0:
            return Resolution(Fate.ABORTED)  # no oracle ever gave it out
        if timestamp := self._remembered.get(id) or self._remembered_before.get(id):
            return Resolution(Fate.COMMITTED, timestamp)
        if id in self._open or id in self._undurable:
            return Resolution(Fate.UNDECIDED)
        return None

    def settle(self, id: int) -> Resolution | None:
        """As `resolve`, but an undecided id is refused for ever (F6: nobody else may)."""
        if self._open.take(id):
            return Resolution(Fate.ABORTED)
        return self.resolve(id)

    def _committed(self, id: int) -> bool:
        return id in self._undurable or id in self._remembered or id in self._remembered_before
