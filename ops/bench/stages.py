"""How long each stage takes: a clock around each step of a process, and around the passes that they stand in."""

import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

from ops.wiring.gated import Gated
from ops.wiring.process import Process

P = ParamSpec("P")
R = TypeVar("R")

_STAGES = {
    "updater": "apply",
    "argus": "build",
    "jobs": "build",
    "publisher": "publish",
    "reader": "read",
    "leader": "the edit itself",
}


class StageClock:
    """From its making on. What of a pass is in none of its steps is the end of the group: `commit`."""

    def __init__(self, process: Process) -> None:
        self._passes_s = 0.0
        self._steps_s: dict[str, float] = {}
        clocked: set[int] = set()
        for one in process.loop.passes:
            one.run = _timed(one.run, self._add_pass)  # type: ignore[method-assign]
            for step in (state.step for state in one.states):
                if id(step) not in clocked and not isinstance(step, Gated):  # whose step stands in another pass, too
                    clocked.add(id(step))
                    name = "capture" if step.name.startswith("gateway") else _STAGES.get(step.name, step.name)
                    step.step = _timed(step.step, self._adder(name))  # type: ignore[method-assign]

    def spent_s(self) -> dict[str, float]:
        """Stage -> seconds so far."""
        return {**self._steps_s, "commit": self._passes_s - sum(self._steps_s.values())}

    def _add_pass(self, seconds: float) -> None:
        self._passes_s += seconds

    def _adder(self, name: str) -> Callable[[float], None]:
        def add(seconds: float) -> None:
            self._steps_s[name] = self._steps_s.get(name, 0.0) + seconds

        return add


def us_per_document(before: Mapping[str, float], after: Mapping[str, float], documents: int) -> dict[str, float]:
    """What was spent between two looks, of each stage that had a share in it."""
    spent = {name: (after[name] - before.get(name, 0.0)) / max(documents, 1) * 1e6 for name in after}
    return {name: round(us, 2) for name, us in spent.items() if us >= 0.05}


def _timed(function: Callable[P, R], add: Callable[[float], None]) -> Callable[P, R]:
    @wraps(function)
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        began_s = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            add(time.perf_counter() - began_s)

    return timed
