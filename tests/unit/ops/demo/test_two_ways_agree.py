"""The application's own functions and the independent check come to the same values, over an edited database."""

import importlib
import itertools
import sqlite3
import tomllib
from importlib import resources
from random import Random
from typing import Any

import pytest

from ops.demo.check import joined_rows
from ops.demo.editor import edits
from proto.values import from_python, to_python

FLOWS = tomllib.loads(resources.files("argus.ads").joinpath("flows.toml").read_text())
FIELDS: dict[str, dict[str, Any]] = {
    name: {"from": entry} if isinstance(entry, str) else entry
    for name, entry in FLOWS["documents"]["ad"]["fields"].items()
}
NAME_OF_PATH = {entry["from"]: name for name, entry in FIELDS.items() if "from" in entry}
COMPUTED = {name: entry["handler"] for name, entry in FIELDS.items() if "handler" in entry}
TYPES = {column: kind for table in FLOWS["tables"].values() for column, kind in table["columns"].items()}
TYPES |= {field: kind for signal in FLOWS["signals"].values() for field, kind in signal["fields"].items()}


@pytest.fixture
def rows(source: sqlite3.Connection) -> list[dict[str, Any]]:
    for _edit in itertools.islice(edits(source, Random(5), lambda: 0.0), 300):
        pass
    return list(joined_rows(source))


def value_at(row: dict[str, Any], path: str) -> Any:
    if path in ("pin.width", "pin.height"):
        return row[f"_{path[4:]}"]
    if path == "ad_group.targeting.geos.country":
        return [country for country, _, _ in row["_geos"]]
    if path == "ad_group.targeting.geos.is_excluded":
        return [bool(is_excluded) for _, _, is_excluded in row["_geos"]]
    if path == "ad_group.targeting.interests.interest_id":
        return row["targeting_interest_weights"]  # only their number counts
    if path == "signals.performance":
        return row["_performance"] or None
    value = row[NAME_OF_PATH[path]]
    return value if isinstance(value, list) else to_python(TYPES[path.rpartition(".")[2]], value)


@pytest.mark.parametrize("name", COMPUTED)
def test_both_compute_the_same(name: str, rows: list[dict[str, Any]]) -> None:
    module, _, function_name = COMPUTED[name].partition(":")
    function = getattr(importlib.import_module(module), function_name)
    inputs = function.__adsindex__.inputs
    assert len(rows) > 50
    for row in rows:
        value = function(**{parameter: value_at(row, path) for parameter, path in inputs.items()})
        assert from_python(value) == row[name], row["id"]


def test_every_field_of_the_flows_file_is_checked(rows: list[dict[str, Any]]) -> None:
    assert len(FIELDS) > 100
    assert len(COMPUTED) > 12
    assert {name for name in rows[0] if not name.startswith("_")} == set(FIELDS)
