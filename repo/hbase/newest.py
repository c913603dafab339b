"""The newest timestamp that any thread has told (F13)."""


class Newest:
    """Never goes back. Safe for threads, without a lock: only who has told a newer one takes an older one away, so the
    newest is always there."""

    def __init__(self) -> None:
        self._told: dict[int, None] = {0: None}

    @property
    def timestamp(self) -> int:
        return max(list(self._told))

    def tell(self, timestamp: int) -> None:
        if timestamp <= self.timestamp:
            return
        self._told[timestamp] = None
        for older in [told for told in list(self._told) if told < timestamp]:
            self._told.pop(older, None)
