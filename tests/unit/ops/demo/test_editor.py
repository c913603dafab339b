"""The live editor: reproducible, each edit changes what it says, torn pairs match in every committed state."""

import itertools
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ops.demo import generator, schema
from ops.demo.check import expected_documents
from ops.demo.compare import Document
from ops.demo.editor import Edit, edits, in_transaction, weights
from ops.demo.edits import EDITS
from ops.demo.scale import SCALES
from ops.demo.torn import is_torn
from proto.errors import SettingsError


def documents(connection: sqlite3.Connection) -> dict[Any, Document]:
    return {document.id: document for document in expected_documents(connection)}


def run(connection: sqlite3.Connection, count: int, mix: Mapping[str, int] | None = None) -> list[Edit]:
    clock = itertools.count(1)
    return list(itertools.islice(edits(connection, Random(11), lambda: float(next(clock)), mix), count))


def test_the_same_seed_makes_the_same_edits(tmp_path: Path) -> None:
    runs, dumps = [], []
    for name in ("a.db", "b.db"):
        connection = schema.connect(tmp_path / name)
        schema.create(connection)
        generator.generate(connection, SCALES["tiny"], Random(1))
        runs.append(run(connection, 100))
        dumps.append(list(connection.iterdump()))
        connection.close()
    assert runs[0] == runs[1]
    assert dumps[0] == dumps[1]


@pytest.mark.parametrize("kind", list(EDITS))
def test_an_edit_changes_exactly_the_documents_that_it_names(source: sqlite3.Connection, kind: str) -> None:
    before = documents(source)
    changing = edits(source, Random(3), lambda: 0.0, {kind: 1})
    for edit in itertools.islice(changing, 12):
        after = documents(source)
        changed = {ad for ad in before.keys() | after.keys() if before.get(ad) != after.get(ad)}
        assert changed == set(edit.ads)
        before = after


def test_each_edit_is_committed_when_its_time_is_taken(source: sqlite3.Connection, source_file: Path) -> None:
    other = sqlite3.connect(source_file)
    seen: list[int] = []

    def now_ms() -> float:
        seen.append(other.execute("PRAGMA data_version").fetchone()[0])
        return float(len(seen))

    made = list(itertools.islice(edits(source, Random(1), now_ms, {"ad_bid": 1}), 5))
    other.close()
    assert [(edit.began_ms, edit.committed_ms) for edit in made] == [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)]
    before, after = seen[::2], seen[1::2]
    assert all(one != other for one, other in zip(before, after, strict=True)), "committed in between"
    assert after[:-1] == before[1:], "and nothing else was"


def test_the_usual_mix_is_a_hundred_and_all_kinds_occur(source: sqlite3.Connection) -> None:
    assert sum(weights().values()) == 100
    assert set(Counter(edit.kind for edit in run(source, 600))) == set(EDITS)


def test_torn_pairs_match_in_every_committed_state(source: sqlite3.Connection) -> None:
    for edit in itertools.islice(edits(source, Random(2), lambda: 0.0), 60):
        current = documents(source)
        assert not [ad for ad, document in current.items() if is_torn(document.fields)]
        if edit.tag is not None:
            assert {current[ad].fields["ad_group_bid_micros"] for ad in edit.ads} <= {edit.tag}


def test_a_document_that_mixes_two_transactions_is_torn(source: sqlite3.Connection) -> None:
    before = documents(source)
    (edit,) = (edit for edit in run(source, 1, {"torn_pair": 1}) if edit.ads)
    old, new = before[edit.ads[0]].fields, documents(source)[edit.ads[0]].fields
    assert not is_torn(old)
    assert not is_torn(new)
    assert is_torn({**new, "daily_budget_micros": old["daily_budget_micros"]})
    assert is_torn({**old, "daily_budget_micros": new["daily_budget_micros"]})


def test_an_edit_that_fails_leaves_nothing_behind(source: sqlite3.Connection) -> None:
    def failing() -> Any:
        source.execute("DELETE FROM ads")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        in_transaction(source, failing)
    assert len(documents(source)) == SCALES["tiny"].ads


def test_an_unknown_kind_is_named(source: sqlite3.Connection) -> None:
    with pytest.raises(SettingsError, match="no edit 'ad_bidd'; there are: ad_bid, "):
        run(source, 1, {"ad_bidd": 1})


def test_as_a_process_it_prints_one_json_line_an_edit(source: sqlite3.Connection, source_file: Path) -> None:
    command = [sys.executable, "-m", "ops.demo.editor", "--source", str(source_file), "--only", "ad_bid"]
    done = subprocess.run([*command, "--rate", "500", "--seconds", "0.1"], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["number"] for line in lines] == list(range(1, 51))
    bids = {document.id: document.fields["bid_micros"] for document in expected_documents(source)}
    assert all(bids[line["ads"][0]] is not None for line in lines)
