"""How often to look at something that can't ring: often while it is active, seldom after a second of silence."""

WATCHED_QUIET_MS = 500.0
EAGER_MS = 0.08
EAGER_LOOKS = 12
"""A file is written a little before the commit can be seen: after a write it is looked at eagerly, for about a ms."""


class Pace:
    """For the one poller at the SQLite edge. Times are monotonic ms.

    While a FileWatch stirs it, quiet_ms may be longer: WATCHED_QUIET_MS.
    """

    def __init__(self, active_ms: float = 0.4, quiet_ms: float = 5.0, quiet_after_ms: float = 1000.0) -> None:
        self._active_ms, self._quiet_ms, self._quiet_after_ms = active_ms, quiet_ms, quiet_after_ms
        self._worked_ms = float("-inf")
        self._looked_ms = float("-inf")
        self._stirred = False
        self._eager = 0

    def looked(self, now_ms: float, worked: bool) -> None:
        """It was looked at; worked: there was something."""
        self._looked_ms = now_ms
        if worked or self._stirred:
            self._worked_ms = now_ms
        self._eager = 0 if worked else EAGER_LOOKS if self._stirred else max(self._eager - 1, 0)
        self._stirred = False

    def stir(self) -> None:
        """Something happened to it (ops.engine.file_watch): it is active again, from the next look on."""
        self._stirred = True

    def due_ms(self) -> float:
        """When to look again."""
        if self._eager:
            return self._looked_ms + EAGER_MS
        quiet = self._looked_ms - self._worked_ms > self._quiet_after_ms
        return self._looked_ms + (self._quiet_ms if quiet else self._active_ms)
