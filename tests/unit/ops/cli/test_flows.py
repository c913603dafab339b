"""`flows check|diff|show|apply`: what they say of mistakes, misfits and changes, and with which exit code they end."""

import io
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argus.describe import generation_of
from argus.generations import promote, propose
from ops.flows_files import load_checked
from ops.installation import Installation, save_installation

FLOWS = """
[tables.campaigns]
source = "campaigns"
key = "id"
columns = { id = "int", name = "str", budget = "decimal" }

[tables.ads]
source = "ads"
key = "id"
columns = { id = "int", title = "str", campaign_id = "int" }
references = { campaign = "campaign_id -> campaigns" }

[signals.demand]
fetch = "http://localhost:1/demand"
key = "id"
fields = { views = "int" }
max_age_s = 60

[documents.ad]
root = "ads"
servable = "campaign.budget > 0"
fields = { id = "id", title = "title", views = "signals.demand.views" }
"""
SHOP = """
CREATE TABLE campaigns(id INTEGER PRIMARY KEY, name TEXT, budget TEXT);
CREATE TABLE ads(id INTEGER PRIMARY KEY, title TEXT, campaign_id INT);
INSERT INTO ads VALUES (1, 'a', 1);
"""
Written = Callable[..., str]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes FLOWS with what is replaced; its path."""

    def write(*replaced: tuple[str, str]) -> str:
        text = FLOWS
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "flows.toml"
        path.write_text(text)
        return str(path)

    return write


@pytest.fixture
def shop(tmp_path: Path) -> Callable[[str], str]:
    """Makes a database; its URL."""

    def make(setup: str) -> str:
        database = sqlite3.connect(tmp_path / "shop.db")
        database.executescript(setup)
        database.close()
        return f"sqlite:///{tmp_path / 'shop.db'}"

    return make


@pytest.fixture
def running(folder: Any, written: Written) -> None:
    """A data folder with FLOWS as its generation 2."""
    installation = Installation({}, written())
    state = propose(folder.repo, generation_of(load_checked(installation)))
    assert state.next is not None
    promote(folder.repo, state.next.number)
    save_installation(folder.path, installation)
    folder.close()


def changes(adsindex: Any, file: str) -> dict[tuple[str, str], str]:
    """(part, item) -> kind, as `flows diff --json` tells."""
    return {
        (one["part"], one["item"]): one["kind"] for one in adsindex("flows", "diff", file, "--json").json["changes"]
    }


@pytest.mark.parametrize(
    ("replaced", "at"),
    [
        (
            [('name = "str"', 'name = "string"'), ('title = "str"', 'title = "txt"'), ("max_age_s", "max_age")],
            ["columns", "columns", "[signals.demand]", "max_age_s"],
        ),
        ([("-> campaigns", "-> campaign"), ('"ads"\nkey = "id"', '"ads"\nkey = "ident"')], ["key", "references"]),
        ([('title = "title"', 'title = "titel"'), ("demand.views", "demand.view")], ["fields", "fields"]),
    ],
    ids=["spelling", "names", "paths"],
)
def test_check_tells_all_mistakes_at_once_each_with_its_line_and_a_hint(
    adsindex: Any, written: Written, replaced: list[tuple[str, str]], at: list[str]
) -> None:
    file = written(*replaced)
    found = adsindex("flows", "check", file)
    assert (found.code, found.output) == (2, "")
    lines = found.errors.splitlines()
    assert len(lines) == len(at) and all("flows.toml:" in line and "Hint: " in line for line in lines)
    told = adsindex("flows", "check", file, "--json")
    assert told.code == 2 and not told.json["ok"]
    errors = told.json["errors"]
    assert [FLOWS.splitlines()[one["line"] - 1].partition(" ")[0] for one in errors] == at
    assert all(one["file"].endswith("flows.toml") and one["hint"] for one in errors)


def test_check_says_what_a_right_file_holds(adsindex: Any, written: Written, shop: Any) -> None:
    found = adsindex("flows", "check", written(), "--source", shop(SHOP))
    assert found.code == 0
    assert "2 tables, 1 document type with 3 fields" in found.output and "1 signal: no mistakes" in found.output
    assert adsindex("flows", "check", written(), "--json").json["ok"]


@pytest.mark.parametrize(
    ("old", "new", "subject"),
    [
        ("TABLE ads(", "TABLE adverts(", "ads"),
        ("title TEXT", "headline TEXT", "ads"),
        ("(1, 'a', 1)", "(1, 'a', 'x')", "ads.campaign_id"),
        ("ads(id INTEGER PRIMARY KEY", "ads(id INTEGER", "ads"),
    ],
    ids=["table", "column", "type", "key"],
)
def test_check_against_a_database_that_does_not_fit(
    adsindex: Any, written: Written, shop: Any, old: str, new: str, subject: str
) -> None:
    setup = SHOP.replace(old, new).replace("INTO ads", "INTO adverts" if "adverts" in new else "INTO ads")
    url = shop(setup)
    told = adsindex("flows", "check", written(), "--source", url, "--json")
    (finding,) = told.json["findings"]
    assert (told.code, finding["level"], finding["subject"]) == (1, "error", subject)
    line = FLOWS.splitlines().index("[tables.ads]") + 1
    assert finding["where"].endswith(f"flows.toml:{line}") and finding["hint"]
    printed = adsindex("flows", "check", written(), "--source", url)
    assert printed.code == 1 and f"flows.toml:{line}: {subject}, source main: " in printed.output
    assert ".." not in printed.output and "?." not in printed.output


@pytest.mark.usefixtures("running")
def test_diff_and_apply_of_the_same_have_nothing_to_do(adsindex: Any, written: Written) -> None:
    file = written(("max_age_s = 60", "max_age_s = 60  # a minute"))
    found = adsindex("flows", "diff", file)
    assert found.code == 0 and found.lines[-1] == "nothing to do: it means the same"
    assert adsindex("flows", "diff", file, "--json").json["changes"] == []


@pytest.mark.usefixtures("running")
def test_how_a_signal_is_called_is_taken_over_and_builds_nothing_again(adsindex: Any, written: Written) -> None:
    file = written(("max_age_s = 60", "max_age_s = 60\ntimeout_ms = 500\nabsent_max_age_s = 5"))
    found = changes(adsindex, file)
    assert found == {("signal demand", "timeout_ms"): "added", ("signal demand", "absent_max_age_s"): "changed"}
    assert adsindex("flows", "diff", file).lines[-1] == "nothing is built again: no document depends on it"


@pytest.mark.usefixtures("running")
def test_diff_shows_fields_conditions_tables_and_signals(adsindex: Any, written: Written) -> None:
    file = written(
        ('title = "title", ', 'title = "campaign.name", budget = "campaign.budget", '),
        ('id = "id", t', "t"),
        ("budget > 0", "budget > 1"),
        ('key = "id"\nfields = { views = "int" }', 'key = "id"\nfields = { views = "int", clicks = "int" }'),
        ("http://localhost:1", "http://localhost:2"),
        ("[documents.ad]", '[tables.regions]\nsource = "r"\nkey = "id"\ncolumns = { id = "int" }\n\n[documents.ad]'),
    )
    assert changes(adsindex, file) == {
        ("document ad", "field id"): "removed",
        ("document ad", "field title"): "changed",
        ("document ad", "field budget"): "added",
        ("document ad", "servable"): "changed",
        ("signal demand", "fetch"): "changed",
        ("signal demand", "field clicks"): "added",
        ("table regions", "written by"): "added",
        ("table regions", "key"): "added",
        ("table regions", "column id"): "added",
    }
    printed = adsindex("flows", "diff", file)
    assert printed.code == 0 and "http://localhost:1/demand -> http://localhost:2/demand" in printed.output
    assert "0 documents of type ad are built again" in printed.output


def test_diff_counts_the_rows_that_are_there(folder: Any, request: pytest.FixtureRequest, adsindex: Any) -> None:
    for at, values in enumerate([None, {"id": 1, "title": "a", "campaign_id": 1}, None]):
        folder.row("ads", (at,), at, values)
    request.getfixturevalue("running")
    file = request.getfixturevalue("written")(('title = "title"', 'title = "campaign.name"'))
    assert "\n1 document of type ad " in adsindex("flows", "diff", file).output


@pytest.mark.usefixtures("running")
def test_diff_shows_what_is_gone(adsindex: Any, written: Written) -> None:
    signal = FLOWS[FLOWS.index("[signals") : FLOWS.index("[documents")]
    file = written((signal, ""), (', views = "signals.demand.views"', ""))
    assert changes(adsindex, file) == {("document ad", "field views"): "removed"} | {
        ("signal demand", item): "removed"
        for item in ("fetch", "key", "on failure", "field views", "max_age_s", "absent_max_age_s")
    }


@pytest.mark.usefixtures("running")
def test_show_prints_generations_and_one_part_of_them(adsindex: Any) -> None:
    state = adsindex("flows", "show", "--json").json
    assert (state["current"], state["next"], state["documents"]["ad"]["built_by"]) == (2, None, {})
    shown = adsindex("flows", "show", "demand", "--json").json["parts"]
    assert shown["signal demand"]["fetch"] == "http://localhost:1/demand" and list(shown) == ["signal demand"]
    assert adsindex("flows", "show", "demand.views", "--json").json["parts"] == {
        "signal demand": {"field views": "int"}
    }
    assert "signal demand" in adsindex("flows", "show", "demand").output
    assert adsindex("flows", "show", "demnd").code == adsindex("flows", "show", "--generation", "9").code == 3


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_apply_in_a_script_wants_yes(adsindex: Any, written: Written, more: tuple[str, ...]) -> None:
    file = written(("budget > 0", "budget > 1"))
    refused = adsindex("flows", "apply", file, *more)
    assert refused.code == 2 and "nothing was changed: add --yes" in refused.errors
    assert (refused.output == "") is bool(more)
    assert adsindex("flows", "show", "--json").json["next"] is None


class Terminal(io.StringIO):
    """Somebody who answers questions."""

    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("running")
def test_apply_asks_people_but_never_between_lines_of_json(
    adsindex: Any, written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(("budget > 0", "budget > 1"))
    for answer, more, code in (("y", ("--json",), 2), ("n", (), 2), ("y", (), 0)):
        monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
        found = adsindex("flows", "apply", file, *more)
        assert (found.code, "[y/N]" in found.output) == (code, not more)
    assert adsindex("flows", "show", "--json").json["next"] == 3


@pytest.mark.usefixtures("running")
def test_apply_admits_repeats_and_withdraws(adsindex: Any, written: Written) -> None:
    changed = written(("budget > 0", "budget > 1"))
    for what in ("generation 3 is admitted", "generation 3 was admitted already, and waits"):
        done = adsindex("flows", "apply", changed, "--yes", "--json")
        assert (done.code, done.json["what"], done.json["next"]) == (0, what, 3)
    assert "generation 3 is withdrawn" in adsindex("flows", "apply", written(), "--yes", "--json").json["what"]
    assert adsindex("flows", "apply", written(), "--json").json["what"].startswith("nothing to do")


@pytest.mark.usefixtures("running")
def test_apply_refuses_what_does_not_fit_the_database(
    adsindex: Any, written: Written, shop: Any, tmp_path: Path
) -> None:
    url = shop(SHOP.replace("title TEXT", "headline TEXT"))
    save_installation(tmp_path / "data", Installation({"shop": url}, written()))
    refused = adsindex("flows", "apply", written(("budget > 0", "budget > 1")), "--yes")
    assert refused.code == 2 and "column 'title' of table 'ads' is gone" in refused.errors
    assert adsindex("flows", "show", "--json").json["next"] is None
