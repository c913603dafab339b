"""`doc --lineage`: what each field was made of, now and then, where a way ends, and what was deleted."""

from pathlib import Path
from typing import Any

import pytest

from argus.api import field
from tests.support.argus_world import ADS_FLOWS, World, gone, put


@field(inputs={"bid": "bid", "campaign": "group.campaign"}, version=7)
def offer(bid: Any, campaign: Any) -> str:
    return f"{bid} {campaign and campaign['name']}"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "data", ADS_FLOWS + 'offer = { handler = "offer" }\n', [offer])
    world.edit(
        put("campaigns", id=1, name="Spring", budget=500, note="n"),
        put("groups", id=10, campaign_id=1, status="ON"),
        put("ads", id=100, group_id=10, title="Shoes", bid="1.50"),
        put("words", id=7, text="red"),
        put("ad_words", ad_id=100, word_id=7, position=1),
        put("ad_words", ad_id=100, word_id=8, position=2),
    )
    return world


def origins(found: Any, name: str) -> list[Any]:
    return [
        {key: value for key, value in origin.items() if value is not None and key not in ("changed", "writer")}
        for origin in found["fields"][name]["origins"]
    ]


def test_a_copy_names_row_column_version_and_source_position(world: World, adsindex: Any) -> None:
    first = world.repo.last_timestamp()
    with world.repo.snapshot() as snapshot:
        (version,) = snapshot.read("campaigns", "high", [b"\3main\0\4\x80\0\0\0\0\0\0\1\0"])
    world.edit(put("campaigns", id=1, name="Summer", budget=500, note="n"))
    with world.repo.snapshot() as snapshot:
        (renamed,) = snapshot.read("campaigns", "high", [b"\3main\0\4\x80\0\0\0\0\0\0\1\0"])
    world.close()
    assert version is not None and renamed is not None
    now, then = (adsindex("doc", "ad/100", "--lineage", "--json", *rest).json for rest in ((), ("--as-of", str(first))))
    common = {"path": "group.campaign.name", "table": "campaigns", "id": 1, "column": "name", "state": "read"}
    assert then["fields"]["campaign"]["value"] == "Spring" and now["fields"]["campaign"]["value"] == "Summer"
    assert origins(then, "campaign") == [
        {
            **common,
            "row_version": version.commit_timestamp,
            "changed_at": version.commit_timestamp,
            "position": {"incarnation": 1, "position": 1},
        }
    ]
    (origin,) = origins(now, "campaign")
    assert origin["row_version"] == origin["changed_at"] == renamed.commit_timestamp
    assert origin["position"] == {"incarnation": 1, "position": 2}
    (budget,) = origins(now, "budget")
    assert budget["row_version"] == renamed.commit_timestamp and budget["changed_at"] == version.commit_timestamp


def test_a_computed_field_names_its_function_and_a_collection_every_row(world: World, adsindex: Any) -> None:
    world.close()
    found = adsindex("doc", "ad/100", "--lineage", "--json").json
    assert found["fields"]["offer"]["handler"] == {"name": "offer", "version": 7}
    assert [(one["parameter"], one["table"], one.get("column")) for one in origins(found, "offer")] == [
        ("bid", "ads", "bid"),
        ("campaign", "campaigns", None),
    ]
    red, lost = origins(found, "words")
    assert (red["table"], red["id"], red["state"]) == ("words", 7, "read")
    assert (lost["id"], lost["state"]) == (8, "missing")
    assert lost["nowhere"] == {"table": "ad_words", "id": [100, 8], "columns": ["word_id"]}


def test_it_is_said_which_reference_leads_nowhere(world: World, adsindex: Any) -> None:
    world.edit(gone("campaigns", 1), put("ads", id=101, group_id=10), put("ads", id=102))
    deleted_at = world.repo.last_timestamp()
    world.close()
    (missing,) = origins(adsindex("doc", "ad/101", "--lineage", "--json").json, "campaign")
    assert missing["state"] == "missing" and missing["id"] == 1 and 0 < missing["deleted_at"] < deleted_at
    assert missing["nowhere"] == {"table": "groups", "id": 10, "columns": ["campaign_id"]}
    (null,) = origins(adsindex("doc", "ad/102", "--lineage", "--json").json, "campaign")
    assert null["state"] == "null" and null["nowhere"] == {"table": "ads", "id": 102, "columns": ["group_id"]}
    lines = [" ".join(line.split()) for line in adsindex("doc", "ad/102", "--lineage").lines]
    assert "campaign ads/102.group_id is NULL NULL" in lines


def test_a_deleted_document_says_when_its_row_went_and_an_unknown_one_that_it_is_unknown(
    world: World, adsindex: Any
) -> None:
    world.edit(gone("ads", 100))
    world.close()
    ran = adsindex("doc", "ad/100", "--lineage", "--json")
    assert ran.code == 3 and ran.json["deleted"] and ran.json["deleted_at"] > 0
    assert "its row was deleted" in adsindex("doc", "ad/100", "--lineage").output
    unknown = adsindex("doc", "ad/999", "--lineage", "--json")
    assert (unknown.code, unknown.output) == (3, "") and "there is no document ad/999" in unknown.errors


def test_what_is_not_kept_any_more_is_said_to_be_so(world: World, adsindex: Any) -> None:
    world.edit(put("campaigns", id=1, name="Spring", budget=500, note="only the offer reads notes"))
    world.edit(put("groups", id=10, campaign_id=None, status="ON"))
    world.edit(put("campaigns", id=1, name="Autumn", budget=500, note="nobody reads it"))
    now = world.repo.last_timestamp()
    while world.engine.collect_garbage(now):
        pass
    world.close()
    found = adsindex("doc", "ad/100", "--lineage", "--json").json
    assert origins(found, "campaign")[0]["state"] == "null"
    assert origins(found, "title")[0]["position"] == {"incarnation": 1, "position": 1}


def test_people_get_one_line_an_origin(world: World, adsindex: Any) -> None:
    world.close()
    lines = [" ".join(line.split()) for line in adsindex("doc", "ad/100", "--lineage").lines]
    (title,) = [line for line in lines if line.startswith("title ")]
    assert title.startswith("title ads/100.title 1970") and title.endswith("source main @ 1 Shoes")
    assert any(line.startswith("offer offer v7 ads/100.bid 1970") for line in lines)
    assert any(line.startswith("campaigns/1 (campaign) 1970") for line in lines)
    assert any("ad_words/100,8.word_id = 8: no such row in words" in line for line in lines)
