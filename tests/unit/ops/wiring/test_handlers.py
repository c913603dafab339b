"""What --handlers names: files, folders, and the same file by two names."""

import sys
from pathlib import Path

import pytest

from argus.registry import register
from ops.wiring.handlers import load_handlers
from proto.errors import SettingsError
from proto.flows.loader import loads
from tests.support.argus_world import ADS_FLOWS

PACING = '''
from argus.api import Change, HandlerContext, handler


@handler(observes=["campaigns.budget"], version=1)
async def keep_pace(ctx: HandlerContext, change: Change) -> None:
    """Does nothing."""
'''
PACED = f"""{ADS_FLOWS}
[tables.campaigns.derived]
pace = {{ type = "float", handler = "twice.pacing_twice:keep_pace" }}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `twice` that can be imported."""
    made = tmp_path / "twice"
    made.mkdir()
    (made / "pacing_twice.py").write_text(PACING, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("twice", "twice.pacing_twice", "pacing_twice"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return made


def test_a_handler_that_the_flows_name_by_its_package_may_be_given_as_a_folder_too(folder: Path) -> None:
    application = register(loads(PACED), load_handlers([str(folder)], None))
    assert list(application.handlers) == ["twice.pacing_twice:keep_pace"]


def test_a_folder_without_files_is_refused(folder: Path) -> None:
    with pytest.raises(SettingsError, match=r"no \.py file lies in this folder; name its sub folders"):
        load_handlers([str(folder.parent)], None)
