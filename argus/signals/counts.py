"""What a signal's owner and whoever is on call look at, since the process began."""

import msgspec


class PullCounts(msgspec.Struct):
    """hits, misses: readings that documents took from memory, and those that they did not find fresh there.

    calls, keys: asked for; failed_calls: without any good answer; failed_keys: those that could not be had; went_back:
    answers older than what was known; blocked: builds that were not made. last_error: of a call or of a key; failed_ms,
    succeeded_ms: the newest call without, and with, a good answer. *_ms: wall clock, 0: never.
    """

    hits: int = 0
    misses: int = 0
    calls: int = 0
    keys: int = 0
    failed_calls: int = 0
    failed_keys: int = 0
    timeouts: int = 0
    went_back: int = 0
    blocked: int = 0
    succeeded_ms: float = 0.0
    last_error: str = ""
    last_error_ms: float = 0.0
    failed_ms: float = 0.0

    def note_error(self, text: str, now_ms: float) -> None:
        """The newest stays."""
        self.last_error, self.last_error_ms = text, now_ms
