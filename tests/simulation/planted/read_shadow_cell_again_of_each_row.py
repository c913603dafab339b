"""F7's second look is at every row of an id. Off: at the first one, which may be collected."""

from collections.abc import Sequence

import pytest

from repo.hbase.ladder import ReadLadder


def plant(patch: pytest.MonkeyPatch) -> None:
    again = ReadLadder._shadow_again

    def hasty(self: ReadLadder, table: str, column: bytes, keys: Sequence[bytes], id: int) -> int | None:
        return again(self, table, column, keys[:1], id)

    patch.setattr(ReadLadder, "_shadow_again", hasty)
