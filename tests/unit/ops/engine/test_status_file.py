"""What a process says about itself, on a full disk."""

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ops.engine import status, status_file
from ops.engine.status import read_statuses
from ops.engine.status_file import StatusFile
from tests.support.full_disk import no_space

if TYPE_CHECKING:
    from tests.unit.ops.engine.conftest import Bench


def test_a_full_disk_does_not_silence_it(bench: "Bench", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = StatusFile(tmp_path, "all", [bench.make_pass(bench.stage())], bench.clock)
    file.write()
    path = tmp_path / "status" / f"{os.getpid()}.json"
    before = path.stat()
    with monkeypatch.context() as full:
        full.setattr(status_file, "replace_file", no_space)
        for text in ("x" * 16_000, "short"):
            file.refusals = [text]
            file.write()
            (found,) = read_statuses(tmp_path, {os.getpid()})
            assert found.refusals == [text]
            assert (path.stat().st_size, path.stat().st_ino) == (before.st_size, before.st_ino), "it took more room"
        file.refusals = ["x" * 1_000_000]
        with pytest.raises(OSError, match="no room"):
            file.write()
        assert read_statuses(tmp_path, {os.getpid()}) == [found], "the last that did fit stays"
    file.write()
    (found,) = read_statuses(tmp_path, {os.getpid()})
    assert found.refusals == file.refusals


def test_a_first_one_that_has_no_room_says_so(bench: "Bench", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_file, "replace_file", no_space)
    with pytest.raises(OSError, match="No space left") as raised:
        StatusFile(tmp_path, "all", [], bench.clock).write()
    assert raised.value.errno == errno.ENOSPC


def test_one_that_is_half_written_is_read_again(
    bench: "Bench", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    StatusFile(tmp_path, "all", [], bench.clock).write()
    looks, decode = [], status._decode

    def torn_at_first(data: bytes) -> object:
        looks.append(data)
        return decode(data[:20] if len(looks) == 1 else data)

    monkeypatch.setattr(status, "_decode", torn_at_first)
    assert [one.role for one in read_statuses(tmp_path, {os.getpid()})] == ["all"]
    assert len(looks) == 2
