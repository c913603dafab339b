"""A populated data folder, and `adsindex` in this process."""

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ops.cli.app import run

_spec = importlib.util.spec_from_file_location("populated", Path(__file__).with_name("populated.py"))
assert _spec is not None and _spec.loader is not None
_populated = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_populated)


class Ran(NamedTuple):
    """What a command did. lines: of standard output."""

    code: int
    output: str
    errors: str

    @property
    def lines(self) -> list[str]:
        return self.output.splitlines()

    @property
    def json(self) -> Any:
        """Of a command that prints one JSON value."""
        (line,) = self.lines
        return json.loads(line)

    @property
    def jsonl(self) -> list[Any]:
        return [json.loads(line) for line in self.lines]


Adsindex = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Any]:
    populated = _populated.Populated(tmp_path / "data")
    yield populated
    populated.close()


@pytest.fixture
def new_folder(tmp_path: Path) -> Callable[..., Any]:
    """Makes a data folder with other sources."""
    return lambda *sources: _populated.Populated(tmp_path / "other", sources)


@pytest.fixture
def adsindex(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Adsindex:
    """Runs a command on the folder of `folder`, which must be closed."""
    monkeypatch.setenv("ADSINDEX_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def adsindex(*arguments: str) -> Ran:
        code = run(arguments)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return adsindex
