"""Readers that say where they stand."""

import subprocess
import sys
from pathlib import Path

import pytest

from ops.cli.app import run
from ops.installation import Installation, save_installation
from ops.readers import TELL_EVERY_MS, Standing, stands
from proto.errors import SettingsError
from tests.support.shop import HandClock


def test_a_reader_stands_where_it_said_last(tmp_path: Path) -> None:
    clock = HandClock()
    standing = Standing(tmp_path, "ads-1", clock)
    standing.tell(5)
    clock.ms += TELL_EVERY_MS - 1
    standing.tell(6)
    assert [(one.name, one.offset) for one in stands(tmp_path)] == [("ads-1", 5)]
    clock.ms += 1
    standing.tell(7)
    assert [(one.offset, one.at_ms) for one in stands(tmp_path)] == [(7, clock.ms)]
    standing.close()
    assert stands(tmp_path) == []


def test_a_reader_that_died_is_forgotten(tmp_path: Path) -> None:
    standing = Standing(tmp_path, "ads-1", HandClock())
    standing.tell(5)
    standing._liveness.close()  # as the kernel does
    assert stands(tmp_path) == [] and not list((tmp_path / "readers").iterdir())


def test_two_readers_need_two_names(tmp_path: Path) -> None:
    standing = Standing(tmp_path, "ads-1", HandClock())
    with pytest.raises(SettingsError, match="another reader is named 'ads-1'"):
        Standing(tmp_path, "ads-1", HandClock())
    with pytest.raises(SettingsError, match="no name for a reader"):
        Standing(tmp_path, "ads/1", HandClock())
    standing.close()
    Standing(tmp_path, "ads-1", HandClock()).close()


def test_a_rebuild_waits_for_readers_which_would_never_see_the_new_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_installation(tmp_path, Installation({"main": "sqlite:////shop.db"}))
    (tmp_path / "data.mdb").touch()
    standing = Standing(tmp_path, "ads-1", HandClock())
    standing.tell(5)
    assert run(["rebuild", "--yes", "--data", str(tmp_path)]) == 2
    assert f"stop what runs on {tmp_path} first: reader ads-1" in capsys.readouterr().err
    assert (tmp_path / "data.mdb").exists()
    standing.close()
    assert run(["rebuild", "--yes", "--data", str(tmp_path)]) == 0 and not (tmp_path / "data.mdb").exists()


def test_a_rebuild_waits_for_whoever_has_the_index_open(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A reader that does not say where it stands, in a process of its own; LMDB knows of it."""
    save_installation(tmp_path, Installation({"main": "sqlite:////shop.db"}))
    script = (
        "import lmdb, sys; e = lmdb.open(sys.argv[1], readonly=len(sys.argv) > 2); print(flush=True); sys.stdin.read()"
    )
    for options in ((), ("read only",)):
        command = [sys.executable, "-c", script, str(tmp_path), *options]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            assert other.stdout is not None and other.stdout.readline()
            assert run(["rebuild", "--yes", "--data", str(tmp_path)]) == 2
            told = capsys.readouterr().err
            assert f"stop what runs on {tmp_path} first: process {other.pid}, which has it open" in told
            assert other.stdin is not None
            other.stdin.close()
        assert (tmp_path / "data.mdb").exists()
    assert run(["rebuild", "--yes", "--data", str(tmp_path)]) == 0 and not (tmp_path / "data.mdb").exists()
