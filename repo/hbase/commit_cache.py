"""Commit timestamps that this process knows, by id. They never change; so "not committed" is never kept."""


class CommitCache:
    """Keeps between a half and all of `ids_max`, the newest. Safe for threads."""

    def __init__(self, ids_max: int = 200_000) -> None:
        self._half = max(1, ids_max // 2)
        self._now: dict[int, int] = {}
        self._before: dict[int, int] = {}

    def get(self, id: int) -> int | None:
        found = self._now.get(id)
        return self._before.get(id) if found is None else found

    def add(self, id: int, commit_timestamp: int) -> None:
        """It is committed, and durable."""
        self._now[id] = commit_timestamp
        if len(self._now) >= self._half:
            self._before, self._now = self._now, {}
