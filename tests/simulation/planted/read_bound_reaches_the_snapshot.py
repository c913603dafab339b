"""A read asks for versions up to the snapshot. Off: the timestamp right below it is left out."""

import pytest

from repo.oracle.port import TIMESTAMP_STEP


def plant(patch: pytest.MonkeyPatch) -> None:
    for module in ("ladder", "snapshot", "history"):
        patch.setattr(f"repo.hbase.{module}.bound", lambda snapshot: snapshot - TIMESTAMP_STEP)
