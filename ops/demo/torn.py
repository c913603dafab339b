"""The invariant by which a torn document shows itself.

In a campaign whose bid strategy is PROPORTIONAL every ad group bids a hundredth of the campaign's daily budget. Both
numbers are changed in one source transaction, in two tables; a document in which they don't match mixes two of them.
"""

from collections.abc import Mapping
from typing import Any

BUDGET_PER_BID = 100


def is_torn(fields: Mapping[str, Any]) -> bool:
    """Of an ad's document: the bid and the budget come from different source transactions."""
    bid, budget = fields["ad_group_bid_micros"], fields["daily_budget_micros"]
    return fields["campaign_bid_strategy"] == "PROPORTIONAL" and bid is not None and bid * BUDGET_PER_BID != budget
