"""Time as an argument."""

from typing import Protocol


class Clock(Protocol):
    """Wall clock and monotonic clock; tests and the simulator pass their own."""

    def now_ms(self) -> float:
        """Milliseconds since 1970, with a fraction."""
        ...

    def monotonic_ms(self) -> float:
        """Milliseconds that never go back."""
        ...
