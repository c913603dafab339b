"""A step that has something to do only when the step before it had."""

from collections.abc import Callable

from ops.engine.step import Step


class Gated:
    """Calls `step` while `wanted` says so. Not asked, it is left alone by `committed` and `undone`, too."""

    def __init__(self, step: Step, wanted: Callable[[], bool]) -> None:
        self.name = f"{step.name} of jobs"
        self._step, self._wanted = step, wanted
        self._asked = False

    def step(self) -> bool:
        self._asked = self._wanted()
        return self._asked and self._step.step()

    def committed(self) -> None:
        if self._asked:
            self._step.committed()

    def undone(self) -> None:
        if self._asked:
            self._step.undone()

    def failed(self, error: Exception) -> float:
        return self._step.failed(error)

    def wake_ms(self) -> float:
        return float("inf")  # the pass of edits wakes for what waits
