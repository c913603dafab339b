"""The machine's clocks."""

import time


class SystemClock:
    """proto.ports.clock.Clock on this machine."""

    def now_ms(self) -> float:
        return time.time() * 1e3

    def monotonic_ms(self) -> float:
        return time.monotonic() * 1e3
