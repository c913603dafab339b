"""Signals in the flows file: what is declared, how paths lead to them, what counts as another generation."""

import pytest

from proto.flows.loader import loads
from proto.flows.model import BreakerLimits
from proto.flows.paths import resolve

SIGNAL = """
[signals.demand]
fetch = "shop.signals:demand"
key = "shelf.name"
fields = { score = "float", since = "date" }
max_age_s = 60
"""


def with_signal(shop: str, more: str = "", signal: str = SIGNAL) -> str:
    return shop.replace("[documents.book]\n", signal + more + "\n[documents.book]\n", 1)


def test_defaults_are_filled_in(shop: str) -> None:
    signal = loads(with_signal(shop)).signals["demand"]
    assert (signal.fields, signal.key) == ({"score": "float", "since": "date"}, "shelf.name")
    assert (signal.max_age_s, signal.absent_max_age_s, signal.on_failure) == (60, 60, "use_last")
    assert signal.breaker == BreakerLimits(5, 1.0, 60.0)
    more = 'absent_max_age_s = 5\non_failure = "block"\nbreaker = { failures = 2 }'
    signal = loads(with_signal(shop, more)).signals["demand"]
    assert (signal.absent_max_age_s, signal.on_failure, signal.breaker) == (5, "block", BreakerLimits(2))


def test_a_path_leads_to_a_field_with_its_type_or_to_all_of_them(shop: str) -> None:
    flows = loads(with_signal(shop))
    field = resolve(flows, "books", "signals.demand.since")
    assert field.signal is flows.signals["demand"] and field.column is not None and field.column.type == "date"
    whole = resolve(flows, "books", "signals.demand")
    assert whole.signal is flows.signals["demand"] and whole.column is None


def test_a_column_of_that_name_wins(shop: str) -> None:
    text = with_signal(shop).replace('tags = "json"', 'signals = "json"').replace('["tags"]', '["signals"]')
    path = resolve(loads(text.replace('tags = "medium"', 'signals = "medium"')), "books", "signals")
    assert path.signal is None and path.column is not None and path.column.type == "json"


def test_copies_of_a_signal(shop: str) -> None:
    text = with_signal(shop).replace('"shelf.parent.name"]', '"signals.demand.*"]')
    fields = loads(text).documents["book"].fields
    assert fields["signals_demand_score"].path == "signals.demand.score" and "signals_demand_since" in fields


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("max_age_s = 60", "max_age_s = 60 # a minute\ntimeout_ms = 200", True),
        ("max_age_s = 60", "max_age_s = 61\nabsent_max_age_s = 60", False),
        ("max_age_s = 60", "max_age_s = 60\nabsent_max_age_s = 5", False),
        ("max_age_s = 60", "max_age_s = 60\ntimeout_ms = 5", False),
        ("max_age_s = 60", "max_age_s = 60\ncache_keys_max = 10_000", False),
        ("max_age_s = 60", "max_age_s = 60\nbreaker = { failures = 2 }", False),
        ('since = "date"', 'since = "str"', False),
        ("score = ", "scores = ", False),
        ('"shelf.name"', '"id"', False),
        ("shop.signals", "shop.other", False),
        ("max_age_s = 60", 'max_age_s = 60\non_failure = "omit"', False),
    ],
)
def test_what_a_running_process_must_take_over_is_part_of_the_generation(
    shop: str, old: str, new: str, same: bool
) -> None:
    assert (
        loads(with_signal(shop)).generation == loads(with_signal(shop, "", SIGNAL.replace(old, new))).generation
    ) is same
