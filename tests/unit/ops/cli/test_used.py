"""`used`: rows, versions, functions, windows; what is wrong with a question."""

from pathlib import Path
from typing import Any

import pytest

from argus.api import Reading, field
from tests.support.argus_world import ADS_FLOWS, World, put
from tests.support.signals import HandCaller
from tests.unit.argus.signals.test_documents import FLOWS


@field(inputs={"bid": "bid"}, version=7)
def offer(bid: Any) -> str:
    return f"{bid}"


@pytest.fixture
def version(tmp_path: Path) -> int:
    """Of campaign 1, which two ads of three use."""
    world = World(tmp_path / "data", ADS_FLOWS + 'offer = { handler = "offer" }\n', [offer])
    world.edit(
        put("campaigns", id=1, name="Spring"),
        put("groups", id=10, campaign_id=1),
        *(put("ads", id=100 + ad, group_id=10 if ad else None) for ad in range(3)),
    )
    with world.repo.snapshot() as snapshot:
        ((_, found),) = snapshot.scan("campaigns", "high")
    world.close()
    return found.commit_timestamp


def test_a_row_s_documents_are_lines_of_json(version: int, adsindex: Any) -> None:
    ran = adsindex("used", "--row", "campaigns/1", "--json")
    assert ran.code == 0 and [line["id"] for line in ran.jsonl] == [101, 102]
    assert ran.jsonl[0]["row_versions"] == {"high": version} and ran.jsonl[0]["generation"] == 1
    assert adsindex("used", "--row", f"campaigns/1@{version}", "--json").lines == ran.lines
    other = adsindex("used", "--row", "campaigns/1@12", "--json")
    assert (other.code, other.output) == (3, "") and "no document used campaigns/1@12" in other.errors


def test_functions_and_windows(version: int, adsindex: Any) -> None:
    assert [line["version"] for line in adsindex("used", "--handler", "offer@7", "--json").jsonl] == [7, 7, 7]
    assert adsindex("used", "--handler", "offer@8").code == 3
    assert [line["id"] for line in adsindex("used", "--until", str(10**18), "--json").jsonl] == [100, 101, 102]
    assert adsindex("used", "--since", "-5m").code == 3
    assert adsindex("used", "--row", "campaigns/1", "--since", "-5m").code == 3


def test_people_get_a_table_and_are_told_when_it_is_cut(version: int, adsindex: Any) -> None:
    ran = adsindex("used", "--row", "campaigns/1", "--limit", "1")
    assert ran.lines[0].split() == ["document", "built", "(UTC)", "generation", "version", "used"]
    assert ran.lines[1].startswith("ad/101") and f"high {version}" in ran.lines[1] and len(ran.lines) == 2
    assert "there are more than 1" in ran.errors


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "say one thing to look for"),
        (("--row", "campaigns/1", "--handler", "offer"), "say one thing to look for"),
        (("--handler", "ofer"), "did you mean 'offer'?"),
        (("--row", "campaign/1"), "there is no table 'campaign'; did you mean 'campaigns'?"),
        (("--since", "tomorrow"), "'tomorrow' is not a time"),
        (("--row", "ads/1", "--type", "add"), "there is no document type 'add'; did you mean 'ad'?"),
    ],
)
def test_a_wrong_question_is_a_usage_error(version: int, adsindex: Any, arguments: tuple[str, ...], text: str) -> None:
    ran = adsindex("used", *arguments)
    assert ran.code == 2 and text in ran.errors


def test_signals(tmp_path: Path, adsindex: Any) -> None:
    caller = HandCaller({"performance": {100: Reading({"ctr": 0.25}, 3)}})
    world = World(tmp_path / "data", FLOWS, caller=caller)
    caller.signals = world.application.flows.signals
    world.edit(put("ads", id=100, title="Shoes"))
    caller.answer()
    world.parts.pulls.tick()
    world.edit(put("ads", id=100, title="Boots"))
    world.close()
    (line,) = adsindex("used", "--signal", "performance@3", "--json").jsonl
    assert (line["id"], line["version"]) == (100, 3)
    assert adsindex("used", "--signal", "performance@2").code == 3
    assert "did you mean 'performance'?" in adsindex("used", "--signal", "performence").errors
    found = adsindex("doc", "ad/100", "--lineage", "--json").json["fields"]["ctr"]["signals"]
    assert [(one["signal"], one["field"], one["key"], one["state"], one["version"]) for one in found] == [
        ("performance", "ctr", 100, "fresh", 3)
    ]
    assert found[0]["fetched"] == "1970-01-01T00:00:05.000Z" and found[0]["age_ms"] > 0
    assert any("signal performance/100.ctr" in line for line in adsindex("doc", "ad/100", "--lineage").lines)
