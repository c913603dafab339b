"""What an ad bids, and for which event it pays."""

from collections.abc import Mapping
from decimal import Decimal

from argus.api import field

BILLING_EVENTS = {
    "AWARENESS": "IMPRESSION",
    "CONSIDERATION": "CLICK",
    "CONVERSIONS": "CLICK",
    "SHOPPING": "CLICK",
    "VIDEO": "VIDEO_VIEW",
}


@field(
    inputs={
        "own_bid": "bid_micros",
        "multiplier": "bid_multiplier",
        "group_bid": "ad_group.bid_micros",
        "objective_bids": "ad_group.objective_bids",
        "objective": "ad_group.campaign.objective",
        "floor": "ad_group.campaign.advertiser.marketplace.floor_bid_micros",
    },
    version=1,
)
def effective_bid_micros(
    own_bid: int | None,
    multiplier: Decimal | None,
    group_bid: int | None,
    objective_bids: Mapping[str, int] | None,
    objective: str | None,
    floor: int | None,
) -> int | None:
    """The bid that enters the auction: the ad's own, else its objective's, else its group's; never below the floor."""
    bid = own_bid
    if bid is None and objective_bids and objective:
        bid = objective_bids.get(objective)
    if bid is None:
        bid = group_bid
    if bid is None:
        return None
    if multiplier is not None:
        bid = int(bid * multiplier)
    return bid if floor is None else max(bid, floor)


@field(inputs={"objective": "ad_group.campaign.objective"}, version=1)
def billing_event(objective: str | None) -> str | None:
    """What the advertiser pays for."""
    return None if objective is None else BILLING_EVENTS.get(objective)
