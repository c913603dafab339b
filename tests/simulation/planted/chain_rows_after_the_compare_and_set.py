"""Chain: rows of the commit table are put for batches in the chain only. Off: they are put before."""

import pytest

from repo.oracle.oracle import Oracle


def plant(patch: pytest.MonkeyPatch) -> None:
    flush = Oracle._flush

    def hasty(self: Oracle) -> None:
        coming = self._machine.flush()
        if coming is not None and coming.batch:
            self._until_answered(lambda: self._storage.commit_table.put(coming.batch))
        flush(self)

    patch.setattr(Oracle, "_flush", hasty)
