"""The ads application as a whole: what the compiled flows file builds equals the join made in SQL."""

import itertools
import sqlite3
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

import pytest

from argus.ads.handlers.pacing import pace_campaign
from argus.testing import HandlerEnvironment
from ops.demo import generator, schema
from ops.demo.check import check
from ops.demo.editor import edits
from ops.demo.scale import SCALES
from ops.demo.signal_values import SIGNALS, says
from proto.flows.loader import load
from proto.flows.model import Flows
from tests.support.filled import filled, printed_documents


@pytest.fixture(scope="module")
def flows() -> Flows:
    with resources.as_file(resources.files("argus.ads").joinpath("flows.toml")) as file:
        return load(file)


@pytest.fixture
def source(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = schema.connect(tmp_path / "ads.db")
    schema.create(connection)
    generator.generate(connection, SCALES["tiny"], Random(4))
    yield connection
    connection.close()


def all_said(source: sqlite3.Connection) -> dict[str, dict[int, Mapping[str, Any]]]:
    """What the signal service knows about every key of the database."""
    said = says(1)
    keys = {key for row in source.execute("SELECT pin_id, creative_id FROM ads") for key in row if key is not None}
    return {name: {key: found.values for key in keys if (found := said(name, key))} for name in SIGNALS}


def paced(flows: Flows, source: sqlite3.Connection) -> HandlerEnvironment:
    environment = filled(flows, source, signals=all_said(source))
    for (campaign,) in source.execute("SELECT id FROM campaigns"):
        environment.run(pace_campaign, "campaigns", campaign)
    return environment


def test_the_document_has_a_hundred_fields_of_both_kinds_with_owners(flows: Flows) -> None:
    fields = flows.documents["ad"].fields.values()
    assert len(fields) >= 100
    assert len([field for field in fields if field.handler]) >= 12
    assert {field.kind for field in fields} == {"control", "content"}
    assert all(field.owner and field.fresh_within_s for field in fields if field.critical)


@pytest.mark.parametrize("count", [0, 250])
def test_every_document_equals_the_join(flows: Flows, source: sqlite3.Connection, count: int) -> None:
    for _ in itertools.islice(edits(source, Random(9), lambda: 0.0), count):
        pass
    documents = printed_documents(paced(flows, source), flows, "ad", source)
    assert list(check(source, {document.id: document for document in documents})) == []


def test_spend_paces_its_campaign(flows: Flows) -> None:
    environment = HandlerEnvironment(flows).put("campaigns", id=7, daily_budget_micros=1_000)
    environment.put("spend", campaign_id=7, spent_micros=750)
    run = environment.run(pace_campaign, "spend", 7)
    assert run.writes == {("campaigns", (7,)): {"pace": 0.75, "pace_state": "ON_TRACK"}}


def test_a_campaign_without_spend_is_behind(flows: Flows) -> None:
    environment = HandlerEnvironment(flows).put("campaigns", id=7, daily_budget_micros=1_000)
    run = environment.run(pace_campaign, "campaigns", 7)
    assert run.writes == {("campaigns", (7,)): {"pace": 0.0, "pace_state": "BEHIND"}}


def test_a_campaign_that_is_gone_has_no_pace(flows: Flows) -> None:
    assert HandlerEnvironment(flows).run(pace_campaign, "spend", 7).writes == {("campaigns", (7,)): None}
