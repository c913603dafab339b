"""The ids that the oracle has given out and not decided, 9 bytes each: most are of readers, who never come back."""

from array import array
from bisect import bisect_left


class OpenIds:
    """Grows with `give`, which gets higher ids each time; `expire` makes it shrink again."""

    def __init__(self) -> None:
        self._ids = array("q")
        self._open = bytearray()  # 1 or 0, beside each id
        self._expired = 0  # how many at the front are no longer open, because of their age

    def give(self, ids: range) -> None:
        self._ids.extend(ids)
        self._open.extend(b"\1" * len(ids))

    def take(self, id: int) -> bool:
        """Whether it was open. It isn't any more."""
        place = bisect_left(self._ids, id, self._expired)
        if place == len(self._ids) or self._ids[place] != id or not self._open[place]:
            return False
        self._open[place] = 0
        return True

    def __contains__(self, id: int) -> bool:
        place = bisect_left(self._ids, id, self._expired)
        return place < len(self._ids) and self._ids[place] == id and bool(self._open[place])

    def expire(self, before: int) -> None:
        """No id below `before` is open any more."""
        self._expired = bisect_left(self._ids, before, self._expired)
        if self._expired * 2 > len(self._ids):  # so that each id is moved once at most
            del self._ids[: self._expired]
            del self._open[: self._expired]
            self._expired = 0
