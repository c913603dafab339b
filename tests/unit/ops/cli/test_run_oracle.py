"""`adsindex run --role oracle` and `adsindex oracle`, where there is nothing to run on."""

from pathlib import Path

import pytest

from ops.cli.app import run
from ops.extras import needing
from proto.errors import SettingsError


@pytest.mark.parametrize("arguments", [["run", "--role", "oracle"], ["oracle"]])
def test_without_hbase_it_says_what_to_do(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "--data", str(tmp_path)]) == 2
    assert "adsindex cluster up --only hbase" in capsys.readouterr().err


def test_the_oracle_is_a_process_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = f"sqlite:///{tmp_path}/shop.db"
    assert run(["run", "--role", "oracle,argus", "--data", str(tmp_path), "--source", source]) == 2
    assert capsys.readouterr().err != ""


def test_what_is_not_installed_is_told() -> None:
    with pytest.raises(SettingsError, match=r"pip install 'adsindex\[hbase,rpc\]'"):
        needing("hbase,rpc", "a_module_that_nobody_has")
