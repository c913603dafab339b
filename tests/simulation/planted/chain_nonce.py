"""Chain: each owner writes a nonce of its own. Off: two candidates write equal bytes, and each thinks that it won."""

from typing import Any

import pytest

from repo.hbase.cells import Cells
from repo.hbase.state_cell import NONCE_BYTES, StateCell


def plant(patch: pytest.MonkeyPatch) -> None:
    made = StateCell.__init__

    def nameless(self: StateCell, cells: Cells, table: str, nonce: bytes, *rest: Any) -> None:
        made(self, cells, table, bytes(NONCE_BYTES), *rest)

    patch.setattr(StateCell, "__init__", nameless)
