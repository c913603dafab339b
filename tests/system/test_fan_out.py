"""One row that every document depends on changes: a job, which can be seen and killed, and holds up no single edit."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ops.demo.check import check
from ops.demo.generator import generate
from ops.demo.sample import FLOWS
from ops.demo.scale import SCALES
from ops.demo.schema import connect, create
from ops.demo.signal_values import nobody_says
from proto.codec import decode_key
from tests.support.processes import adsindex
from tests.support.whole import Whole


@pytest.fixture
def ads(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "ads.db")
    create(connection)
    generate(connection, SCALES["small"], Random(1))
    yield connection
    connection.close()


def running(index: Whole) -> list[Any]:
    assert index.process.built is not None
    return [job for job in index.process.built.parts.jobs.running() if job.kind == "fanout"]


def test_a_row_that_all_documents_depend_on(tmp_path: Path, ads: sqlite3.Connection, whole: Any) -> None:
    index = whole({"main": f"sqlite:///{tmp_path / 'ads.db'}"}, FLOWS)
    index.settle()
    documents = len(index.lines("ad"))
    assert documents > 1_500 and not running(index)
    began = sum(1 for _ in index.published())
    ads.execute("UPDATE marketplaces SET name = 'Everywhere'")
    while not running(index):
        index.turn()
    (job,) = running(index)
    assert job.kind == "fanout"
    listed = adsindex("jobs", "list", "--json", "--data", index.folder)
    assert [line["id"] for line in listed.jsonl] == [job.id], listed
    (ad,) = ads.execute("SELECT max(id) FROM ads").fetchone()  # the job comes to it last
    ads.execute("UPDATE ads SET title = 'edited meanwhile' WHERE id = ?", (ad,))
    while not any(decode_key(delta.key)[1] == ad for delta in list(index.published())[began:]):
        index.turn()
    line = index.line("ad", ad)
    assert line is not None and line["fields"]["title"] == "edited meanwhile"
    still = running(index)
    assert still and still[0].done < documents, "the single edit did not wait for the job"
    index.restart()
    (again,) = running(index)
    assert again.id == job.id and again.done >= still[0].done, "it goes on where it was"
    index.settle()
    assert list(check(ads, index.documents("ad"), nobody_says)) == [] and not running(index)
