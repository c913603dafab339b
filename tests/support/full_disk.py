"""A full disk without a disk to fill: files of this process don't grow, or writes fail as they do there."""

import errno
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def file_limit(size_bytes: int) -> Iterator[None]:
    """No file of this process grows above the limit: for LMDB that is a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def no_space(path: Path, data: bytes = b"") -> None:
    """In the place of something that writes a file."""
    raise OSError(errno.ENOSPC, "No space left on device", str(path))
