"""Documents of large fan-outs in the order of their keys: found a stretch ahead of their builds.

A climb finds the documents of one parent after those of another, scattered over all keys: built in that order, each
rewrites pages of the store that no other document of its slice is on. So a stretch of them is found first, in order.
It is in memory only: where it began is what the job's row has, and documents that were built already are passed over by
whoever finds the stretch again.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import islice

from argus.climb import Climber, Frame, Target, decode_frames, encode_frames
from repo.api import Reads

DOCUMENTS_MAX = 32_768
"""Documents of one stretch, about 2 MB, and 4 while they are found. Few enough for what they share to be kept
(argus.branches)."""

CLIMBS_MAX = 512
"""A stretch ends after so many climbs, too: on the way to documents there may be many rows that lead to none."""

JOBS_MAX = 4
"""Jobs of which a stretch is kept; the others find theirs again."""


class Stretch:
    """The next documents of one share. share: where it begins; is_found: all of them are there."""

    def __init__(self, share: bytes) -> None:
        self.share = share
        self.is_found = False
        self._frames: list[Frame] = decode_frames(share)
        self._climbs = 0
        self._known = set[bytes]()
        self._runs: list[list[bytes]] = []  # each in order; all at once would be sorted in 10 ms, in one slice
        self._merged: Iterator[bytes] = iter(())
        self._left = 0

    def find(self, climber: Climber, snapshot: Reads, target: Target, limit: int) -> int:
        """Finds `limit` more at most; returns how many."""
        found = climber.climb(snapshot, target, self._frames, min(limit, DOCUMENTS_MAX - self._left))
        fresh = set(found) - self._known
        self._known |= fresh
        self._runs.append(sorted(fresh))
        self._left += len(fresh)
        self._climbs += 1
        self.is_found = not self._frames or self._left >= DOCUMENTS_MAX or self._climbs >= CLIMBS_MAX
        if self.is_found:
            self._merged = merge(*self._runs)
            self._known, self._runs = set(), []
        return len(found)

    def take(self, limit: int) -> list[bytes]:
        """The next documents, `limit` at most; none: it is at its end."""
        part = list(islice(self._merged, limit))
        self._left -= len(part)
        return part

    def rest(self) -> bytes:
        """What is to be stored: where the stretch begins while there are documents left, then where the next one does;
        b"": that was all."""
        if self._left:
            return self.share
        return encode_frames(self._frames) if self._frames else b""


class Stretches:
    """Those that jobs are in the middle of."""

    def __init__(self) -> None:
        self._known: dict[str, Stretch] = {}

    def of(self, job: str, share: bytes) -> Stretch:
        """That of a job; a new one, if the known one is not of this share."""
        known = self._known.get(job)
        if known is None or known.share != share:
            self._known.pop(job, None)
            if len(self._known) >= JOBS_MAX:
                del self._known[next(iter(self._known))]
            known = self._known[job] = Stretch(share)
        return known

    def forget(self) -> None:
        """What was taken may not have been built: find it again."""
        self._known.clear()
