"""Readers that say where they stand, so that `adsindex why` knows whether they have a version: a small file each.

A process that embeds serving.reader.DocumentReader makes a Standing and calls `tell` after each poll. Garbage: the file
of a reader that has ended is removed by who looks.
"""

import re
from pathlib import Path

import msgspec

from ops.engine.liveness import Liveness
from ops.replaced import replace_file
from proto.errors import SettingsError
from proto.ports.clock import Clock

TELL_EVERY_MS = 500.0
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
_CONSUMER = "reader"


class Stand(msgspec.Struct, frozen=True):
    """offset: of the next message of the documents topic that it will read; at_ms: wall clock when it said so."""

    name: str
    offset: int
    at_ms: float


class Standing:
    """Of one reader, as long as it lives. Raises SettingsError for a name that another one has."""

    def __init__(self, folder: Path, name: str, clock: Clock) -> None:
        """folder: the data folder. name: letters, digits, - and _."""
        if not _NAME.fullmatch(name):
            raise SettingsError(f"{name!r} is no name for a reader: use at most 60 letters, digits, - and _")
        self._path = folder / "readers" / f"{name}.json"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._name, self._clock = name, clock
        self._liveness = Liveness(folder)
        if not self._liveness.claim(_CONSUMER, name, 0):
            self._liveness.close()
            raise SettingsError(f"another reader is named {name!r}: give each its own name")
        self._due_ms = float("-inf")

    def tell(self, offset: int) -> None:
        """offset: `DocumentReader.offsets()[0]`. Writes at most twice a second."""
        now_ms = self._clock.monotonic_ms()
        if now_ms >= self._due_ms:
            self._due_ms = now_ms + TELL_EVERY_MS
            replace_file(self._path, msgspec.json.encode(Stand(self._name, offset, self._clock.now_ms())))

    def close(self) -> None:
        """It reads no more."""
        self._path.unlink(missing_ok=True)
        self._liveness.close()


def stands(folder: Path) -> list[Stand]:
    """Of the readers that live."""
    found = []
    liveness = Liveness(folder)
    for path in sorted((folder / "readers").glob("*.json")):
        if liveness.is_claimed(_CONSUMER, path.stem, 0):
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Stand))
            except (FileNotFoundError, msgspec.DecodeError):
                continue
        else:
            path.unlink(missing_ok=True)
    return found
