"""The command line as a whole: every command has an example in its help, --json, and a clear end."""

import errno
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ops import installation
from ops.cli.app import COMMANDS, _app, run


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_help_has_an_example_and_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = _app([name])[name]
    leaves = [[name, inner] for inner in command if not inner.startswith("-")] or [[name]]
    for leaf in leaves:
        assert run([*leaf, "--help"]) == 0
        text = capsys.readouterr().out
        assert "For example:" in text
        assert f"adsindex {' '.join(leaf)}" in text
        assert "--json" in text


def test_an_unknown_command_or_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dcos"]) == 2
    assert 'Did you mean "docs"?' in capsys.readouterr().err
    assert run(["docs", "--jsn"]) == 2


def test_a_reader_that_goes_away_is_no_error() -> None:
    program = "import sys; from ops.cli.app import run; sys.exit(run(['config', 'show', '--json']))"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 0


def test_a_full_disk_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    sqlite3.connect(tmp_path / "shop.db").execute("CREATE TABLE items (id INTEGER PRIMARY KEY)").connection.close()
    monkeypatch.setattr(installation, "replace_file", full)
    source, data = f"sqlite:///{tmp_path / 'shop.db'}", str(tmp_path / "data")
    assert run(["source", "attach", source, "--data", data]) == 1
    assert "adsindex: a disk is full: free some space" in capsys.readouterr().err
