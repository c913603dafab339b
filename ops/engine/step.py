"""A step: something that does a bounded piece of work when the loop calls it, inside the group of its pass."""

from collections.abc import Callable
from typing import Protocol

from ops.engine.backoff import Backoff
from ops.engine.pace import Pace
from ops.engine.settings import EngineSettings
from proto.ports.clock import Clock


class Step(Protocol):
    """`step` is called once in a group, then either `committed` or `undone`; `failed` after `undone`, if it raised."""

    @property
    def name(self) -> str:
        """For people: "gateway", "updater"."""
        ...

    def step(self) -> bool:
        """True when there was something to do. Work below the High lane is as long as ops.engine.traffic allows.

        An exception undoes all that this pass has written.
        """
        ...

    def committed(self) -> None:
        """What was written is durable."""
        ...

    def undone(self) -> None:
        """What was written is undone: memory must go back to where it was before the call, too."""
        ...

    def failed(self, error: Exception) -> float:
        """It raised. Returns for how many ms it is to be left alone."""
        ...

    def wake_ms(self) -> float:
        """When (monotonic) it wants to be called although nothing rang; infinity: never."""
        ...


def nothing() -> None:
    """Default of a step's callbacks."""


def always() -> bool:
    """Default of a step's gate."""
    return True


class FunctionStep:
    """A step made of a function: `function() -> worked`.

    pace   when it wants to be called without being rung; None: never
    gate   asked before each call; False: not now (back-pressure)
    """

    def __init__(
        self, name: str, function: Callable[[], bool], clock: Clock, settings: EngineSettings, *,
        pace: Pace | None = None, gate: Callable[[], bool] = always,
        committed: Callable[[], None] = nothing, undone: Callable[[], None] = nothing,
    ) -> None:  # fmt: skip
        self.name = name
        self._function, self._clock = function, clock
        self._pace, self._gate = pace, gate
        self._on_committed, self._on_undone = committed, undone
        self._backoff = Backoff(settings)

    def step(self) -> bool:
        worked = self._gate() and self._function()
        if self._pace is not None:
            self._pace.looked(self._clock.monotonic_ms(), worked)
        return worked

    def committed(self) -> None:
        self._backoff.worked()
        self._on_committed()

    def undone(self) -> None:
        self._on_undone()

    def failed(self, error: Exception) -> float:
        return self._backoff.failed()

    def wake_ms(self) -> float:
        return float("inf") if self._pace is None else self._pace.due_ms()
