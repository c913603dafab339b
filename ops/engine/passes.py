"""A pass: steps that share one group, so that what they write is one durable commit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from traceback import format_exception

import structlog

from ops.engine.backoff import Backoff
from ops.engine.positions import Positions
from ops.engine.settings import EngineSettings
from ops.engine.step import Step
from proto.errors import CorruptionError, FencedError, SettingsError, named
from proto.ports.clock import Clock
from proto.ports.log import Durable

STOPPING_ERRORS = (CorruptionError, FencedError)
"""The process must not go on after these."""

_TELL_AGAIN_MS = 10_000.0
"""Between two lines in the log about an error that goes on."""

_logger = structlog.get_logger("adsindex.engine")


@dataclass(slots=True)
class StepState:
    """How a step is doing. last_error "": it never failed. last_error_ms: wall clock. told_ms: monotonic."""

    step: Step
    failing: bool = False
    not_before_ms: float = 0.0
    errors: int = 0
    last_error: str = ""
    last_error_ms: float = 0.0
    told_ms: float = 0.0


class Pass:
    """Runs its steps in order, in one group. When one of them fails, all are undone, and until it works again each step
    has a group of its own, so that it does not stop the others."""

    def __init__(
        self, name: str, steps: Sequence[Step], durable: Durable, positions: Positions, clock: Clock,
        settings: EngineSettings,
    ) -> None:  # fmt: skip
        self.name = name
        self.states = [StepState(step) for step in steps]
        self.last_error = ""  # of a commit, until one succeeds; those of the steps are in `states`
        self.failing_since_ms = 0.0  # wall clock, of the first of the commits that fail in a row; 0: none does
        self._durable, self._positions = durable, positions
        self._clock = clock
        self._commits = Backoff(settings)
        self._not_before_ms = self._told_ms = 0.0

    def run(self, due_ms: float = math.inf) -> bool:
        """True when a step had something to do, or failed and may be tried again at once. Raises STOPPING_ERRORS.

        due_ms: steps that want to run later than that are left out, until one before them had something to do.
        """
        now_ms = self._clock.monotonic_ms()
        if now_ms < self._not_before_ms:
            return False
        ready = [state for state in self.states if state.not_before_ms <= now_ms]
        if not any(state.failing for state in self.states):
            return self._group(ready, due_ms)
        worked = False
        for state in ready:
            worked |= self._group([state], math.inf)
            if self._not_before_ms > now_ms:  # its commit has failed, and so would the next
                break
        return worked

    def wake_ms(self) -> float:
        """When (monotonic) it wants to run although nothing rang."""
        wakes = [max(state.step.wake_ms(), state.not_before_ms) for state in self.states if not state.failing]
        wakes += [state.not_before_ms for state in self.states if state.failing]
        return max(self._not_before_ms, min(wakes, default=float("inf")))

    def _group(self, states: Sequence[StepState], due_ms: float) -> bool:
        worked, ran = False, []
        current: StepState | None = None
        try:
            with self._durable.group():
                for current in states:
                    if worked or due_ms == math.inf or current.step.wake_ms() <= due_ms:
                        ran.append(current)
                        worked |= current.step.step()
                current = None
                self._positions.ride()
                wrote = self._durable.writing()
        except Exception as error:
            self._positions.undone()
            for state in ran:
                state.step.undone()
            if isinstance(error, STOPPING_ERRORS):
                raise
            self._failed(current, error)
            return True
        self._positions.committed()
        for state in ran:
            state.failing = False
            state.step.committed()
        # A group without a write says nothing about the disk; unless nothing at all is left to be written.
        if self._commits.failing and (wrote or (not worked and len(ran) == len(self.states))):
            self._commits.worked()
            self._not_before_ms, self.last_error, self.failing_since_ms = 0.0, "", 0.0
            _logger.info("commits work again", work=self.name)
        return worked

    def _failed(self, state: StepState | None, error: Exception) -> None:
        now_ms = self._clock.monotonic_ms()
        text = named(error)
        if state is None:  # the commit itself: a full disk, an I/O error
            self._commit_failed(text, now_ms)
            return
        told = state.failing and text == state.last_error and now_ms < state.told_ms + _TELL_AGAIN_MS
        state.failing = True
        state.errors += 1
        wait_ms = state.step.failed(error)
        state.not_before_ms = now_ms + wait_ms
        # The traceback once, not with each attempt, and plain: rendering one for people takes longer than a pass. What
        # people have to mend is told in words alone.
        known = text == state.last_error or isinstance(error, SettingsError)
        trace = {} if known else {"exception": "".join(format_exception(error, limit=-6))}
        state.last_error, state.last_error_ms = text, self._clock.now_ms()
        if not told:
            state.told_ms = now_ms
            _logger.error("step failed", step=state.step.name, error=text, again_in_ms=wait_ms, **trace)

    def _commit_failed(self, text: str, now_ms: float) -> None:
        told = text == self.last_error and now_ms < self._told_ms + _TELL_AGAIN_MS
        self.failing_since_ms = self.failing_since_ms or self._clock.now_ms()
        wait_ms = self._commits.failed()
        self._not_before_ms = now_ms + wait_ms
        self.last_error = text
        if not told:
            self._told_ms = now_ms
            _logger.error("commit failed", work=self.name, error=text, again_in_ms=wait_ms)
