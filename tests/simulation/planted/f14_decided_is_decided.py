"""F14: a batch that was decided never turns into aborted. Off: a flush that was not answered is given up."""

import pytest

from proto.errors import UnavailableError
from repo.oracle.oracle import Oracle


def plant(patch: pytest.MonkeyPatch) -> None:
    def forgetful(self: Oracle) -> None:
        coming = self._machine.flush()
        if coming is None:
            return
        self._storage.chain.advance(coming.ceiling, coming.batch)
        try:
            if coming.batch:
                self._storage.commit_table.put(coming.batch)
        except UnavailableError:
            pass  # it will have arrived
        self._machine.flushed(coming)

    patch.setattr(Oracle, "_flush", forgetful)
