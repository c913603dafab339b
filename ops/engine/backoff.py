"""How long to wait before the next attempt."""

from ops.engine.settings import EngineSettings


def backoff_ms(attempts: int, settings: EngineSettings, at_least_ms: float = 0.0) -> float:
    """After `attempts` failed ones (from 1): doubles from retry_ms_min up to retry_ms_max, never below at_least_ms."""
    return max(at_least_ms, min(settings.retry_ms_max, settings.retry_ms_min * 2.0 ** min(attempts - 1, 30)))


def retry_ms(after_ms: float, attempts: int, settings: EngineSettings) -> float:
    """For a processor's Retry(after_ms): what it asked for, doubling from there, up to retry_ms_max."""
    return max(after_ms, min(settings.retry_ms_max, after_ms * 2.0 ** min(attempts - 1, 30)))
