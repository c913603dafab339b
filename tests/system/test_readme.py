"""The README's examples, as somebody who has nothing else would use them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from proto.flows.loader import load

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
NAMED = re.compile(r"(?:--|#) ([\w./]+\.(?:sql|py|toml))\n")


def blocks(language: str) -> list[str]:
    """Texts of the fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds each file that the README names, and the flows file that `init` makes of its schema."""
    for text in (*blocks("sql"), *blocks("python"), *blocks("toml")):
        if named := NAMED.match(text):
            path = tmp_path / named[1]
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    called("-c", "import sqlite3; sqlite3.connect('shop.db').executescript(open('shop.sql').read())", folder=tmp_path)
    called("-m", "ops", "init", "--source", "sqlite:///shop.db", folder=tmp_path)
    return tmp_path


def called(*arguments: str, folder: Path) -> str:
    """What Python says, called in a folder."""
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_reference_of_the_flows_file_loads(folder: Path) -> None:
    flows = load(folder / "reference.toml")
    assert set(flows.documents) == {"product", "review"}


def test_fields_and_handlers_pass_their_tests_and_build_the_document(folder: Path) -> None:
    servable, plain, derived, shown = (text for text in blocks("toml") if not NAMED.match(text))
    flows = (folder / "flows.toml").read_text(encoding="utf-8")
    flows = flows.replace("# servable = \"status = 'ACTIVE'\"\n", servable)
    for entries in (plain, shown):
        header, entry = entries.split("\n", 1)
        flows = flows.replace(f"{header}\n", f"{header}\n{entry}")
    (folder / "flows.toml").write_text(f"{flows}\n{derived}", encoding="utf-8")
    assert "2 passed" in called("-m", "pytest", "-q", "-p", "no:cacheprovider", folder=folder)
    fields = load(folder / "flows.toml").documents["product"].fields
    assert {"sold_from", "brand_active_products"} <= fields.keys()
    assert load(folder / "flows.toml").documents["product"].servable in servable
