"""A small ads index, made once, and copies of its application in which somebody plants mistakes."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import argus.ads
from ops.cli.app import run
from ops.demo.sample import FLOWS, make_database
from ops.demo.scale import Scale
from ops.installation import Installation, save_installation
from tests.support.whole import Whole

ADS = Path(str(argus.ads.__file__)).parent
SCALE = Scale("test", advertisers=10, campaigns=40, ad_groups=120, ads=400, hot_campaign_ads=20, hot_advertiser_ads=60)


class Ran(NamedTuple):
    """What a command did."""

    code: int
    output: str
    errors: str

    def screen(self, lines: int = 45) -> str:
        """What is seen first."""
        return "\n".join(self.output.splitlines()[:lines])


Devrun = Callable[..., Ran]
Plant = Callable[..., Path]


@pytest.fixture(scope="session")
def ads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of 400 ads."""
    folder = tmp_path_factory.mktemp("ads")
    _, sources = make_database(folder, SCALE, seed=1)
    whole = Whole(folder / "data", sources, FLOWS)
    whole.settle()
    whole.close()
    save_installation(folder / "data", Installation(sources, str(FLOWS)))
    yield folder / "data"


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Copies the application and edits it: `plant("fields/bid.py", "max(bid, floor)", "bid")`, several at once."""

    def plant(*edits: str) -> Path:
        folder = tmp_path / "new" / "ads"
        if not folder.exists():
            shutil.copytree(ADS, folder)
        for file, old, new in zip(edits[::3], edits[1::3], edits[2::3], strict=True):
            text = (folder / file).read_text()
            assert old in text, (file, old)
            (folder / file).write_text(text.replace(old, new))
        return folder

    return plant


@pytest.fixture
def devrun(ads: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Devrun:
    """Runs the command on the data folder."""
    monkeypatch.setenv("COLUMNS", "160")

    def devrun(*arguments: Any) -> Ran:
        code = run(["devrun", *map(str, arguments), "--data", str(ads)])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return devrun
