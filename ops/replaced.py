"""Files that are replaced as a whole: whoever looks meanwhile finds the old one or the new one."""

import errno
import os
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """What is unfinished lies beside it, under another suffix, until it is whole, or an OSError is raised."""
    unfinished = path.with_name(f"{path.name}.new")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError:  # on a full disk it may have taken the last that was free
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def overwrite_file(path: Path, data: bytes) -> None:
    """In place, where replacing it fails: it takes no room that the file does not have already, so a full disk is no
    hindrance where blocks are written in place (ext4, xfs, tmpfs). Whoever looks meanwhile may find some of both.

    Raises OSError, also when the file is shorter than data.
    """
    with path.open("r+b", buffering=0) as file:
        if file.seek(0, os.SEEK_END) < len(data):
            raise OSError(errno.ENOSPC, "no room was kept for this much", str(path))
        os.pwrite(file.fileno(), data, 0)
