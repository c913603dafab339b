"""Rows of a feed: what is taken, what is refused and why, and the units that they become."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.feed import CheckedRow, Refused, RowCheck, append_units, feed_units
from ops.brokers.memory import MemoryLog
from proto.events import decode_unit, encode
from proto.flows.model import Column, Table
from proto.lane import Lane
from proto.values import COLUMN_TYPES, coerce
from tests.support.source import table

GOOD: dict[str, list[tuple[Any, Any]]] = {
    "int": [(7, 7), ("8", 8), (9.0, 9), (True, 1)],
    "float": [(0.5, 0.5), ("1.5", 1.5), (Decimal("2.5"), 2.5)],
    "decimal": [("1.50", "1.50"), (Decimal("2.5"), "2.5"), (3, "3")],
    "bool": [(True, True), (0, False), ("true", True)],
    "str": [("a", "a"), (5, "5")],
    "bytes": [(b"\x00", b"\x00")],
    "date": [(date(2026, 3, 1), "2026-03-01"), ("2026-03-01", "2026-03-01")],
    "datetime": [(datetime(2026, 3, 1, tzinfo=UTC), "2026-03-01T00:00:00Z"), (0, "1970-01-01T00:00:00Z")],
    "json": [({"a": [1]}, '{"a":[1]}'), ("[1]", "[1]"), ('"x"', '"x"'), (5, "5")],
}
BAD: dict[str, list[Any]] = {
    "int": ["x", 1.5, 2**63, [1], b"1"],
    "float": ["x", float("nan"), float("inf"), {}],
    "decimal": ["x", "NaN", b"1"],
    "bool": ["maybe", 2],
    "str": [b"\xff", ["a"], {"a": 1}, "\ud800"],
    "bytes": [5.5],
    "date": ["soon", 5],
    "datetime": ["soon", date(2026, 3, 1), True],
    "json": ["{", float("nan")],
}


def one(kind: str, **more: Any) -> Table:
    return table("feeds", {"id": "int", "value": kind}, feed=True, source_table="", **more)


def check(row: dict[str, Any], kind: str = "float", **more: Any) -> CheckedRow | Refused:
    return RowCheck("main", one(kind), more.pop("renamed", {}), **more).check(row)


@pytest.mark.parametrize(("kind", "raw", "stored"), [(kind, *pair) for kind in COLUMN_TYPES for pair in GOOD[kind]])
def test_a_value_gets_a_form_that_stays_the_same(kind: str, raw: Any, stored: Any) -> None:
    found = check({"id": "1", "value": raw}, kind)
    assert isinstance(found, CheckedRow) and found.values is not None
    assert found.values == (1, stored) and type(found.values[1]) is type(stored)
    assert coerce(kind, stored) == coerce(kind, raw), "the updater makes the same of it"
    assert check({"id": 1, "value": None}, kind) == found._replace(values=(1, None))


@pytest.mark.parametrize(("kind", "raw"), [(kind, raw) for kind in COLUMN_TYPES for raw in BAD[kind]])
def test_a_value_of_the_wrong_type_is_refused_by_column(kind: str, raw: Any) -> None:
    found = check({"id": 1, "value": raw}, kind)
    assert isinstance(found, Refused) and found.column == "value" and found.reason


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ({"value": 1.0}, "id", "the row does not have this column"),
        ({"id": None, "value": 1.0}, "id", "a key column is NULL"),
        ({"id": 1}, "value", "the row does not have this column"),
        ({"id": 1, "value": 1.0, "valeu": 2}, "valeu", "table 'feeds' has no such column; did you mean 'value'?"),
    ],
)
def test_a_row_that_is_not_whole(row: dict[str, Any], column: str, reason: str) -> None:
    assert check(row) == Refused(column, reason)


def test_a_key_that_is_too_long() -> None:
    keyed = table("feeds", {"id": "str", "value": "float"}, feed=True, source_table="")
    found = RowCheck("main", keyed, {}).check({"id": "x" * 500, "value": 1.0})
    assert isinstance(found, Refused) and found.column == "id" and "at most 400 fit" in found.reason


def test_columns_are_renamed_left_out_and_may_lack_if_that_is_wanted() -> None:
    renamed = {"pin": "id", "note": ""}
    found = check({"pin": 4, "note": "x", "value": 1.0}, renamed=renamed)
    assert isinstance(found, CheckedRow) and (found.columns, found.values) == (("id", "value"), (4, 1.0))
    found = check({"pin": 4}, renamed=renamed, partial=True)
    assert isinstance(found, CheckedRow) and (found.columns, found.values) == (("id",), (4,))
    assert isinstance(check({"value": 4}, partial=True), Refused), "but never the key"


def test_bytes_in_json_are_base64() -> None:
    found = check({"id": 1, "value": "AAE="}, "bytes", base64=True)
    assert isinstance(found, CheckedRow) and found.values == (1, b"\x00\x01")
    assert check({"id": 1, "value": "?"}, "bytes", base64=True) == Refused("value", "'?' is not base64")


def test_a_sensitive_value_is_not_shown() -> None:
    columns = {"id": Column("id", "int", Lane.HIGH), "pin": Column("pin", "int", Lane.HIGH, sensitive=True)}
    secret = Table("feeds", "", ("id",), columns, {}, {}, Lane.HIGH, feed=True)
    found = RowCheck("main", secret, {}).check({"id": 1, "pin": "geheim"})
    assert isinstance(found, Refused) and found.column == "pin" and "geheim" not in found.reason


def test_units_hold_rows_of_one_version_and_one_kind() -> None:
    checks = RowCheck("main", one("float"), {}, partial=True)
    rows = [checks.check(row) for row in ({"id": 1, "value": 1.0}, {"id": 2, "value": 2.0}, {"id": 3}, {"id": 4})]
    rows += [checks.check_deleted({"id": 1}), checks.check({"id": 1, "value": 5.0})]
    good = [row for row in rows if isinstance(row, CheckedRow)]
    versions = [7, 7, 7, 8, 8, 8]
    pairs = list(zip(versions, good, strict=True))
    units = list(feed_units("main", "feeds", "backfill", Lane.LOW, pairs, 2, 5.0, "job", 10))
    shown = [(unit.position, unit.row, unit.tables[0].rows, unit.tables[0].deleted) for unit in units]
    assert shown == [
        (7, 10, [(1, 1.0), (2, 2.0)], []),
        (7, 12, [(3,)], []),
        (8, 13, [(4,)], []),
        (8, 14, [], [(1,)]),
        (8, 15, [(1, 5.0)], []),
    ]
    assert [len(unit.tables[0].rows) for unit in feed_units("m", "f", "fed", Lane.HIGH, pairs[:2], 1, 0.0)] == [1, 1]


def test_a_feed_has_a_partition_of_its_own() -> None:
    log = MemoryLog()
    assert log.partition_of("updates.low", "main") == 0
    found = RowCheck("main", one("float"), {}).check({"id": 1, "value": 1.0})
    assert isinstance(found, CheckedRow)
    for name in ("feeds", "others"):
        units = feed_units("main", name, "backfill", Lane.LOW, [(7, found)], 10, 0.0)
        append_units(log, Lane.LOW, "main", name, list(map(encode, units)))
    append_units(log, Lane.LOW, "main", "none", [])
    assert log.partitions("updates.low") == 3
    assert decode_unit(log.read("updates.low", 2, 0, 1)[0].value).tables[0].table == "others"


def test_a_deleted_row_needs_its_key() -> None:
    checks = RowCheck("main", one("float"), {})
    assert checks.check_deleted({}) == Refused("id", "the key of a deleted row does not have this column")
    assert isinstance(checks.check_deleted({"id": "x"}), Refused)
    assert checks.check_deleted({"id": None}) == Refused("id", "a key column is NULL")
