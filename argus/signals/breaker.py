"""The circuit breaker of a signal: a state machine without a clock of its own.

closed -- enough failures in a row --> open -- time has passed, one call is tried --> half-open --> closed, or open
again for twice as long. The idea is Nygard's ("Release It!").
"""

from dataclasses import dataclass, replace
from typing import Literal

from proto.flows.model import BreakerLimits


@dataclass(frozen=True, slots=True)
class Breaker:
    """One state; each event gives the next. until_ms: open until then; openings: in a row."""

    limits: BreakerLimits
    state: Literal["closed", "open", "half-open"] = "closed"
    failures: int = 0
    until_ms: float = 0.0
    openings: int = 0

    def may_call(self, now_ms: float) -> bool:
        """Whether a call may be started now."""
        return self.state == "closed" or (self.state == "open" and now_ms >= self.until_ms)

    def refuses(self, now_ms: float) -> bool:
        """Whether it is of no use to wait for a call."""
        return self.state == "open" and now_ms < self.until_ms

    def called(self) -> "Breaker":
        """A call was started."""
        return self if self.state == "closed" else replace(self, state="half-open")

    def succeeded(self) -> "Breaker":
        """A call gave at least one good answer."""
        return Breaker(self.limits)

    def failed(self, now_ms: float) -> "Breaker":
        """A call gave none in time."""
        failures = self.failures + 1
        if self.state == "open" or (self.state == "closed" and failures < self.limits.failures):
            return replace(self, failures=failures)
        wait_s = min(self.limits.open_s * 2 ** min(self.openings, 30), self.limits.open_s_max)
        return Breaker(self.limits, "open", failures, now_ms + wait_s * 1000.0, self.openings + 1)
