"""The command line as a whole: every command has an example in its help, --json, and a clear end."""

import subprocess
import sys

import pytest

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
