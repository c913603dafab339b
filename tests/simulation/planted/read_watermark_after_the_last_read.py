"""F12: the gc watermark is looked at after the last read. Off: before the first one."""

from collections.abc import Sequence

import pytest

from repo.api import Version
from repo.hbase.snapshot import HbaseSnapshot


def plant(patch: pytest.MonkeyPatch) -> None:
    def read(self: HbaseSnapshot, table: str, group: str, keys: Sequence[bytes]) -> list[Version | None]:
        layout = self._catalog.layout(table, group)
        self._check(layout)
        found = self._read(layout, list(dict.fromkeys(keys)))
        return [Version(one.commit_timestamp, one.value or None) if (one := found.get(key)) else None for key in keys]

    patch.setattr(HbaseSnapshot, "read", read)
