"""What an ad bids."""

from decimal import Decimal
from typing import Any

import pytest

from argus.ads.fields.bid import BILLING_EVENTS, billing_event, effective_bid_micros

CALM: dict[str, Any] = {
    "own_bid": None, "multiplier": None, "group_bid": 200, "objective_bids": None, "objective": "VIDEO", "floor": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "bid"),
    [
        ({}, 200),
        ({"own_bid": 300, "objective_bids": {"VIDEO": 400}}, 300),
        ({"objective_bids": {"VIDEO": 400}}, 400),
        ({"objective_bids": {"SHOPPING": 400}}, 200),
        ({"objective_bids": {"VIDEO": 400}, "objective": None}, 200),
        ({"multiplier": Decimal("1.257")}, 251),
        ({"own_bid": 0}, 0),
        ({"floor": 250}, 250),
        ({"floor": 250, "group_bid": None}, None),
    ],
)
def test_effective_bid(given: dict[str, Any], bid: int | None) -> None:
    assert effective_bid_micros(**{**CALM, **given}) == bid


def test_billing_event() -> None:
    assert billing_event("VIDEO") == "VIDEO_VIEW"
    assert billing_event("TELEPATHY") is None
    assert billing_event(None) is None
    assert len(BILLING_EVENTS) == 5
