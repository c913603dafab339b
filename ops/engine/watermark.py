"""The watermark: everything committed up to it is processed and published, or was found to change nothing."""

from collections.abc import Callable, Iterable

from ops.engine.consumer import Consumer

_TIMESTAMP_BYTES = 8


def lowest_unprocessed(pending: Iterable[bytes], holds: Iterable[int]) -> int | None:
    """Commit timestamp of the oldest change that is still under way; None: there is none.

    pending: the first unfinished message of each partition; messages begin with their commit timestamp, 8 bytes
    big-endian, and stand in each partition in the order of it. holds: commit timestamps of running fan-out jobs.
    """
    timestamps = [int.from_bytes(message[:_TIMESTAMP_BYTES], "big") for message in pending]
    return min([*timestamps, *holds], default=None)


class Watermark:
    """notifications: the consumers whose messages are changes. publications: those whose messages come out of these.

    A publication does not say which change it came from, so while one waits the watermark stays where it is.
    last_timestamp: the newest commit timestamp of the Repo. holds: see lowest_unprocessed.

    pending: what keeps `value` where it is: commit timestamp of the oldest change under way; 0: nothing does.
    """

    def __init__(
        self, notifications: Iterable[Consumer], publications: Iterable[Consumer], last_timestamp: Callable[[], int],
        holds: Callable[[], Iterable[int]] = tuple,
    ) -> None:  # fmt: skip
        self.value = self.pending = 0
        self._notifications, self._publications = list(notifications), list(publications)
        self._last_timestamp, self._holds = last_timestamp, holds

    def advance(self) -> int:
        """Looks again; returns the watermark, which never goes back."""
        # In this order: what moves on between two looks is then seen by the second one.
        last = self._last_timestamp()
        pending: list[bytes] = []
        for consumer in self._notifications:
            pending += consumer.first_unfinished()
        holds = list(self._holds())
        if not any(consumer.unfinished() for consumer in self._publications):
            lowest = lowest_unprocessed(pending, holds)
            self.value = max(self.value, last if lowest is None else min(lowest - 1, last))
            self.pending = lowest or 0
        return self.value
