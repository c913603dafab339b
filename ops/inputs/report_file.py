"""The report of a backfill: JSON Lines, one a remark, the summary as the last."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from gateway.backfill import Remark

BYTES_MAX = 64 << 20
"""A longer report ends here; rows are still counted."""

_SHOWN = 10
_encode = msgspec.json.Encoder().encode


class ReportFile:
    """gateway.backfill.Report. path None: nothing is kept. first: the first remarks, of this process."""

    def __init__(self, path: Path | None) -> None:
        """Raises OSError where it can't be written."""
        self.path = path
        self.first: list[Remark] = []
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def write(self, at: int, remarks: Sequence[Remark]) -> int:
        self.first += remarks[: _SHOWN - len(self.first)]
        return at if at > BYTES_MAX else self._put(at, b"".join(_encode(remark) + b"\n" for remark in remarks))

    def finish(self, at: int, summary: Any) -> None:
        """The last line."""
        self._put(at, _encode({"summary": summary}) + b"\n")

    def _put(self, at: int, lines: bytes) -> int:
        if self.path is None:
            return 0
        with self.path.open("r+b") as file:
            file.truncate(at)
            file.seek(at)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        return at + len(lines)
