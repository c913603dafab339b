"""How many rows one read transaction may take, so that it stays short whatever the width of the rows."""

from proto.ports.clock import Clock

_LEAST = 16


class ReadSize:
    """Adapts a number of rows to a time. Starts low and at most doubles: first reads of wide rows are short, too."""

    def __init__(self, clock: Clock, target_ms: float, rows_max: int) -> None:
        self._clock, self._target_ms, self._most = clock, target_ms, rows_max
        self.rows = min(512, rows_max)
        self._started_ms = 0.0

    def start(self) -> int:
        """Rows to ask for now; the clock runs from here."""
        self._started_ms = self._clock.monotonic_ms()
        return self.rows

    def stop(self, rows: int) -> None:
        """`rows` were read since `start`."""
        elapsed_ms = self._clock.monotonic_ms() - self._started_ms
        if elapsed_ms > self._target_ms:
            self.rows = max(_LEAST, int(self.rows * self._target_ms / elapsed_ms))
        elif rows >= self.rows and elapsed_ms < self._target_ms / 2:
            self.rows = min(self._most, self.rows * 2)
