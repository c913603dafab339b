"""What holds the watermark back beside messages: fan-outs that are still jobs, and changes that were dropped."""

from argus.jobs import Jobs
from repo.api import Repo
from repo.drops import Piles
from repo.system import DROPS, JOBS

_TABLES = (JOBS, DROPS)


class Holds:
    """Called for each edit, so both are asked only when one of their tables has changed, whoever changed it."""

    def __init__(self, repo: Repo, jobs: Jobs, piles: Piles) -> None:
        self._repo, self._jobs, self._piles = repo, jobs, piles
        self._marks: list[bytes] = []
        self._found: list[int] = []

    def __call__(self) -> list[int]:
        """Commit timestamps, as in ops.engine.watermark.lowest_unprocessed."""
        with self._repo.snapshot() as snapshot:
            marks = snapshot.change_marks(_TABLES)
        if marks != self._marks:
            self._found = [*self._jobs.holds(), *self._piles.holds()]
            self._marks = marks
        return self._found
