"""The bench's large edits change exactly the documents that they name."""

import sqlite3
from collections.abc import Callable
from random import Random

import pytest

from ops.demo.bulk import burst, rename_advertiser, rename_campaign, rename_marketplace
from ops.demo.check import expected_documents
from ops.demo.editor import in_transaction
from ops.demo.edits import Effect
from ops.demo.scale import SCALES

TINY = SCALES["tiny"]


@pytest.mark.parametrize(
    ("change", "ads"),
    [
        (lambda connection: burst(connection, Random(1), 40), 40),
        (lambda connection: rename_campaign(connection, "x"), TINY.hot_campaign_ads),
        (lambda connection: rename_advertiser(connection, "x"), TINY.hot_advertiser_ads),
        (lambda connection: rename_marketplace(connection, "x"), TINY.ads),
    ],
)
def test_a_large_edit_changes_what_it_names(
    source: sqlite3.Connection, change: Callable[[sqlite3.Connection], Effect], ads: int
) -> None:
    before = {document.id: document for document in expected_documents(source)}
    effect = in_transaction(source, lambda: change(source))
    changed = [document.id for document in expected_documents(source) if document != before[document.id]]
    assert sorted(effect.ads) == changed
    assert len(changed) == ads
