"""`doc` and `docs`: what scripts get, conditions, time travel, what is not there."""

from typing import Any

import pytest


def test_doc_prints_the_agreed_json(folder: Any, adsindex: Any) -> None:
    sequence = folder.document("ad", ("shop", 4711), {"id": 4711, "budget": "12.50", "icon": b"\0\1"}, missing=["x"])
    folder.close()
    found = adsindex("doc", "ad/4711", "--json").json
    assert found == {
        "type": "ad",
        "id": 4711,
        "source": "shop",
        "sequence": sequence,
        "built_at": folder.built_at,
        "servable": True,
        "fields": {"id": 4711, "budget": "12.50", "icon": "AAE="},
        "missing": ["x"],
    }


def test_a_composite_id_is_a_json_list_and_may_be_typed_with_commas_or_as_a_list(folder: Any, adsindex: Any) -> None:
    folder.document("region", ("shop", "de", 7), {"label": "Süd"})
    folder.close()
    by_commas = adsindex("doc", "region/de,7", "--json").json
    assert by_commas["id"] == ["de", 7]
    assert adsindex("doc", 'region/["de",7]', "--json").json == by_commas


def test_an_unknown_document_ends_with_3_and_prints_nothing(folder: Any, adsindex: Any) -> None:
    folder.document("ad", ("shop", 1), {"id": 1})
    folder.close()
    ran = adsindex("doc", "ad/99", "--json")
    assert (ran.code, ran.output) == (3, "")
    assert "no document ad/99" in ran.errors


def test_a_deleted_document_is_not_there_but_was(folder: Any, adsindex: Any) -> None:
    sequence = folder.document("ad", ("shop", 1), {"id": 1})
    folder.document("ad", ("shop", 1), None)
    folder.close()
    assert adsindex("doc", "ad/1").code == 3
    assert adsindex("doc", "ad/1", "--as-of", str(sequence), "--json").json["fields"] == {"id": 1}


def test_as_of_shows_the_older_version_and_no_build_time_that_came_later(folder: Any, adsindex: Any) -> None:
    first = folder.document("ad", ("shop", 1), {"title": "old"}, servable=False)
    folder.document("ad", ("shop", 1), {"title": "new"})
    folder.close()
    found = adsindex("doc", "ad/1", "--as-of", str(first), "--json").json
    assert (found["fields"], found["sequence"], found["built_at"]) == ({"title": "old"}, first, None)
    assert adsindex("doc", "ad/1", "--as-of", "now", "--json").json["fields"] == {"title": "new"}


def test_doc_for_people_shows_wall_clock_and_every_field(folder: Any, adsindex: Any) -> None:
    folder.document("ad", ("shop", 1), {"id": 1, "title": None}, servable=False, missing=["campaign"])
    folder.close()
    ran = adsindex("doc", "ad/1")
    assert ran.lines[0].startswith("ad/1  not servable  changed 2025-11-22 20:34:06.120 UTC")
    assert "missing: campaign" in ran.lines
    assert ["title", "NULL"] in [line.split() for line in ran.lines]


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("ads/1", "'ads' is a table, not a document type; its document is ad/1"),
        ("1", "several document types (ad, region): write TYPE/1"),
        ("add/1", "no document type 'add'; did you mean 'ad'?"),
        ("ad/one", "'one' is not an id of 'ads'"),
        ("region/de", "the key of 'regions' is (country, code)"),
        ("ad/", "the id is missing"),
    ],
)
def test_a_wrong_address_is_a_usage_error_that_says_what_to_write(
    folder: Any, adsindex: Any, address: str, text: str
) -> None:
    folder.close()
    ran = adsindex("doc", address)
    assert ran.code == 2
    assert text in ran.errors


def test_with_several_sources_the_id_names_one(new_folder: Any, adsindex: Any) -> None:
    folder = new_folder("east", "west")
    folder.document("ad", ("west", 1), {"id": 1})
    folder.close()
    data = ("--data", str(folder.path))
    ran = adsindex("doc", "ad/1", *data)
    assert ran.code == 2
    assert "several sources (east, west): write SOURCE:ID, e.g. east:1" in ran.errors
    assert adsindex("doc", "ad/west:1", "--json", *data).json["source"] == "west"
    assert adsindex("doc", "ad/east:1", *data).code == 3
    assert adsindex("docs", *data).lines[0].startswith("ad/west:1 ")


def test_docs_streams_every_document_of_one_snapshot_over_pages(folder: Any, adsindex: Any) -> None:
    for number in range(1100):
        folder.document("ad", ("shop", number), {"id": number})
    before = folder.document("region", ("shop", "de", 7), {"label": "Süd"})
    folder.document("ad", ("shop", 3), None)
    folder.document("ad", ("shop", 1100), {"id": 1100})
    folder.close()
    now = [document["id"] for document in adsindex("docs", "--type", "ad", "--json").jsonl]
    assert now == [number for number in range(1101) if number != 3]
    then = [document["id"] for document in adsindex("docs", "--json", "--as-of", str(before)).jsonl]
    assert then == [*range(1100), ["de", 7]]


def test_where_is_sql_over_the_fields(folder: Any, adsindex: Any) -> None:
    for number, budget in enumerate(["9.50", "12.50", None]):
        folder.document("ad", ("shop", number), {"id": number, "budget": budget}, servable=number == 0)
    folder.close()
    ids = lambda *where: [document["id"] for document in adsindex("docs", "--json", "--where", *where).jsonl]  # noqa: E731
    assert ids("budget > 10") == [1]
    assert ids("budget IS NULL or servable") == [0, 2]
    assert ids("NOT (budget > 10)") == [0]


def test_a_condition_over_an_unknown_field_says_which_there_are(folder: Any, adsindex: Any) -> None:
    folder.close()
    ran = adsindex("docs", "--where", "bugdet > 10")
    assert ran.code == 2
    assert "did you mean 'budget'?" in ran.errors


def test_a_folder_without_data_says_so_and_stays_empty(tmp_path: Any, adsindex: Any) -> None:
    ran = adsindex("docs", "--data", str(tmp_path / "nothing"))
    assert ran.code == 2
    assert "there is no data folder at" in ran.errors
    assert not (tmp_path / "nothing").exists()
