"""Files on a full disk: what fails to be replaced stays as it was, and may be written over."""

import errno
from pathlib import Path

import pytest

from ops.replaced import overwrite_file, replace_file
from tests.support.full_disk import file_limit


def test_what_can_not_be_replaced_stays_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old")
    with file_limit(2), pytest.raises(OSError, match="File too large"):
        replace_file(path, b"newer")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_over_a_file_never_makes_it_longer(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old ")
    overwrite_file(path, b"news")
    assert path.read_bytes() == b"news"
    with pytest.raises(OSError, match="no room") as raised:
        overwrite_file(path, b"much longer")
    assert raised.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"news"
