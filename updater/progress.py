"""How far a source is applied: whether a unit's turn has come, and what it leaves in the source's state."""

from typing import Literal

from proto.events import FEEDS, Unit
from proto.lane import Lane
from proto.ports.processor import Drop, Outcome, Retry
from repo.api import Snapshot, Transaction
from repo.source_states import read_source_states
from repo.system import APPLIED, SOURCES, STATE, Applied, SourceState, decode_applied, encode, source_key

WAIT_MS = 1.0
"""Between two looks whether a higher lane has caught up."""

Turn = Literal["now"] | Outcome

_OF_TABLES = ("done", "parked", "unparked")


class Progress:
    """The state of one source within one transaction."""

    def __init__(self, source: str, snapshot: Snapshot) -> None:
        self._source, self._snapshot, self._key = source, snapshot, source_key(source)
        (stored,) = snapshot.read(SOURCES, APPLIED, [self._key])
        self._stored = None if stored is None else stored.value
        self._applied = None if self._stored is None else decode_applied(self._stored)
        self._state: SourceState | None = None  # once a unit says something of tables
        self._held: dict[int, Retry] = {}
        if self._applied is None and (state := self._read_state()):  # an older program has kept all in one
            self._applied = Applied(state.incarnation, state.applied)

    def turn(self, unit: Unit) -> Turn:
        """ "now" (for a feed always), or why not: Drop for a unit of an older incarnation, Retry for one that has to
        wait for a higher lane.

        A unit that waits holds those behind it in its lane.
        """
        if unit.kind in FEEDS:
            return "now"
        known = self._applied
        if known is not None and unit.incarnation < known.incarnation:
            return Drop(f"incarnation {unit.incarnation} of source {unit.source!r}; it is at {known.incarnation}")
        held = self._held.get(unit.lane)
        if held is not None:
            return held
        if unit.lane == Lane.HIGH:
            return "now"
        applied = known.applied if known is not None and known.incarnation == unit.incarnation else {}
        reached = max(applied.get(lane, 0) for lane in range(unit.lane))
        if reached >= unit.waits_for:
            return "now"
        wait = Retry(WAIT_MS, f"position {unit.waits_for} of a higher lane of {unit.source!r}; it is at {reached}")
        self._held[unit.lane] = wait
        return wait

    def applied(self, unit: Unit) -> None:
        """The unit (or the last part of it) is applied, or never will be."""
        if unit.kind in FEEDS:
            return
        known = self._applied
        if known is None or known.incarnation < unit.incarnation:
            known = self._applied = Applied(unit.incarnation)
            self._state = SourceState(unit.incarnation)
        known.applied[unit.lane] = max(known.applied.get(unit.lane, 0), unit.position)
        if unit.kind in _OF_TABLES:
            self._tell(unit)

    def write(self, transaction: Transaction) -> None:
        """Only what differs from what is stored: a replay writes nothing."""
        if self._applied is not None and (encoded := encode(self._applied)) != self._stored:
            transaction.write(SOURCES, self._key, APPLIED, encoded)
        if self._state is not None and self._state != self._read_state():
            transaction.write(SOURCES, self._key, STATE, encode(self._state))

    def _tell(self, unit: Unit) -> None:
        """What a unit says of tables."""
        state = self._state = self._state or self._read_state() or SourceState(unit.incarnation)
        if unit.kind == "done":
            state.bootstrapped = tuple(sorted({*state.bootstrapped, *unit.names}))
            state.columns.update(zip(unit.names, unit.columns, strict=False))  # none in a unit of an older program
        elif unit.kind == "parked":
            state.parked.update(dict.fromkeys(unit.names, unit.reason))
        elif unit.kind == "unparked":
            state.parked = {name: why for name, why in state.parked.items() if name not in unit.names}

    def _read_state(self) -> SourceState | None:
        return read_source_states(self._snapshot, [self._source])[0]
