"""How long to wait before the next attempt."""

from ops.engine.settings import EngineSettings


class Backoff:
    """Of one thing that may fail: how long it is left alone, longer with each failure in a row."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._failures = 0

    @property
    def failing(self) -> bool:
        """Whether it failed the last time."""
        return self._failures > 0

    def failed(self) -> float:
        """Once more. Returns for how many ms it is to be left alone."""
        self._failures += 1
        return backoff_ms(self._failures, self._settings)

    def worked(self) -> None:
        """The next failure is a first one."""
        self._failures = 0


def backoff_ms(attempts: int, settings: EngineSettings) -> float:
    """After `attempts` failed ones (from 1): doubles from retry_ms_min up to retry_ms_max."""
    return min(settings.retry_ms_max, settings.retry_ms_min * 2.0 ** min(attempts - 1, 30))


def retry_ms(after_ms: float, attempts: int, settings: EngineSettings) -> float:
    """For a processor's Retry(after_ms): what it asked for, doubling from there, up to retry_ms_max."""
    return max(after_ms, min(settings.retry_ms_max, after_ms * 2.0 ** min(attempts - 1, 30)))
