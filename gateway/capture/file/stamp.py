"""Which file it is: size, time of the last change, and what stands at both ends; so that a change is noticed."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from proto.errors import SettingsError

_END_BYTES = 64 << 10


class Stamp(NamedTuple):
    """Of a file as it was at one moment."""

    device: int
    inode: int
    size: int
    modified_ns: int

    @property
    def modified_ms(self) -> float:
        """Wall clock, ms since 1970."""
        return self.modified_ns / 1e6


def stamp(path: Path) -> Stamp:
    """Raises SettingsError when it is not there, or no file."""
    try:
        found = path.stat()
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}") from None
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def fingerprint(path: Path, of: Stamp) -> str:
    """The same as long as the content is, and another when it was changed in place or replaced.

    Raises SettingsError when it can't be read, or holds nothing.
    """
    if of.size == 0:
        raise SettingsError(f"{path} is empty: a program that writes it may have been stopped; write it again")
    try:
        with path.open("rb") as file:
            head = file.read(_END_BYTES)
            file.seek(-min(_END_BYTES, of.size), os.SEEK_END)
            digest = hashlib.blake2b(head + file.read(), digest_size=8).hexdigest()
    except OSError as error:
        raise SettingsError(f"{path} can't be read: {error.strerror}") from None
    return f"{of.size}-{of.modified_ns}-{digest}"
