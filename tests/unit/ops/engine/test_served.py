"""When messages became readable: kept over restarts, bounded, and silent about what was not noted."""

from pathlib import Path

import pytest

from ops.engine import served
from ops.engine.served import ServedFile, read_served


def test_a_message_is_readable_since_the_commit_that_held_it(tmp_path: Path) -> None:
    file = ServedFile(tmp_path, 5)
    file.note(7, 100.0)
    file.note(7, 150.0)
    file.note(8, 200.0)
    file.write()
    times = read_served(tmp_path)
    assert [times.at(offset) for offset in range(4, 9)] == [None, 100.0, 100.0, 200.0, None]


def test_another_process_goes_on_and_claims_nothing_of_what_a_crash_has_lost(tmp_path: Path) -> None:
    ServedFile(tmp_path, 0).note(3, 100.0)  # never written
    second = ServedFile(tmp_path, 3)
    second.note(4, 200.0)
    second.write()
    assert [read_served(tmp_path).at(offset) for offset in (2, 3)] == [None, 200.0]


def test_the_oldest_go_when_the_files_are_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "_BYTES_MAX", 24 * 10)
    file = ServedFile(tmp_path, 0)
    for end in range(1, 36):
        file.note(end, float(end))
        file.write()
    times = read_served(tmp_path)
    assert (times.at(0), times.at(20), times.at(34)) == (None, 21.0, 35.0)
    assert sum(path.stat().st_size for path in (tmp_path / "served").iterdir()) <= 2 * 24 * 10


def test_without_a_file_nothing_is_known(tmp_path: Path) -> None:
    assert read_served(tmp_path).at(0) is None


def test_what_a_full_disk_has_cut_short_spoils_nothing_behind_it(tmp_path: Path) -> None:
    file = ServedFile(tmp_path, 0)
    file.note(1, 100.0)
    file.write()
    path = tmp_path / "served" / "documents"
    path.write_bytes(path.read_bytes() + b"half an")
    file.note(2, 200.0)
    file.write()
    times = read_served(tmp_path)
    assert [times.at(offset) for offset in range(3)] == [100.0, 200.0, None]
