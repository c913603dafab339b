"""How far a source is applied: whether a unit's turn has come, and what it leaves in the source's state."""

from typing import Literal

from proto.events import FEEDS, Unit
from proto.lane import Lane
from proto.ports.processor import Drop, Outcome, Retry
from repo.api import Snapshot, Transaction
from repo.system import SOURCES, STATE, SourceState, decode_source_state, encode, source_key

WAIT_MS = 1.0
"""Between two looks whether a higher lane has caught up."""

Turn = Literal["now"] | Outcome


class Progress:
    """The state of one source within one transaction."""

    def __init__(self, source: str, snapshot: Snapshot) -> None:
        self._key = source_key(source)
        (stored,) = snapshot.read(SOURCES, STATE, [self._key])
        self._stored = None if stored is None else stored.value
        self._state = None if self._stored is None else decode_source_state(self._stored)
        self._held: dict[int, Retry] = {}

    def turn(self, unit: Unit) -> Turn:
        """ "now" (for a feed always), or why not: Drop for a unit of an older incarnation, Retry for one that has to
        wait for a higher lane.

        A unit that waits holds those behind it in its lane.
        """
        if unit.kind in FEEDS:
            return "now"
        state = self._state
        if state is not None and unit.incarnation < state.incarnation:
            return Drop(f"incarnation {unit.incarnation} of source {unit.source!r}; it is at {state.incarnation}")
        held = self._held.get(unit.lane)
        if held is not None:
            return held
        if unit.lane == Lane.HIGH:
            return "now"
        applied = state.applied if state is not None and state.incarnation == unit.incarnation else {}
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
        state = self._state
        if state is None or state.incarnation < unit.incarnation:
            state = self._state = SourceState(unit.incarnation)
        state.applied[unit.lane] = max(state.applied.get(unit.lane, 0), unit.position)
        if unit.kind == "done":
            state.bootstrapped = tuple(sorted({*state.bootstrapped, *unit.names}))
            state.columns.update(zip(unit.names, unit.columns, strict=False))  # none in a unit of an older program
        elif unit.kind == "parked":
            state.parked.update(dict.fromkeys(unit.names, unit.reason))
        elif unit.kind == "unparked":
            state.parked = {name: why for name, why in state.parked.items() if name not in unit.names}

    def write(self, transaction: Transaction) -> None:
        """Only when it differs from what is stored: a replay writes nothing."""
        if self._state is not None and (encoded := encode(self._state)) != self._stored:
            transaction.write(SOURCES, self._key, STATE, encoded)
