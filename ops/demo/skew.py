"""Who belongs to whom in a sample database: sizes by Zipf's law, two parents of known size, orphans."""

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from ops.demo.scale import Scale

GONE = 999_999_999
"""Id of a row that does not exist."""

HOT_CAMPAIGN, HOT_ADVERTISER, MARKETPLACE = 1, 2, 1
_GROUPS_OF_HOT_CAMPAIGN = 2
_CAMPAIGNS_OF_HOT_ADVERTISER = 2
_GROUPS_OF_PROPORTIONAL_MAX = 8
_GONE_SHARE = 0.004


@dataclass(frozen=True, slots=True)
class Family:
    """Parents by child: the parent's id of child n stands at n - 1.

    proportional: campaigns whose bids follow the budget.
    """

    advertiser_of_campaign: list[int]
    campaign_of_ad_group: list[int]
    ad_group_of_ad: list[int]
    proportional: frozenset[int]


def family(scale: Scale, random: Random) -> Family:
    """Campaign 1 and advertiser 2 have the sizes that the scale names; all others are Zipf's."""
    hot_campaigns = 1 + _CAMPAIGNS_OF_HOT_ADVERTISER
    hot_groups = _GROUPS_OF_HOT_CAMPAIGN * hot_campaigns
    advertisers = [1, *[HOT_ADVERTISER] * _CAMPAIGNS_OF_HOT_ADVERTISER]
    advertisers += zipf([1, *range(3, scale.advertisers + 1)], scale.campaigns - hot_campaigns, random)
    campaigns = [1 + index // _GROUPS_OF_HOT_CAMPAIGN for index in range(hot_groups)]
    campaigns += zipf(range(hot_campaigns + 1, scale.campaigns + 1), scale.ad_groups - hot_groups, random)
    groups = [1 + index % _GROUPS_OF_HOT_CAMPAIGN for index in range(scale.hot_campaign_ads)]
    others = hot_groups - _GROUPS_OF_HOT_CAMPAIGN
    groups += [1 + _GROUPS_OF_HOT_CAMPAIGN + index % others for index in range(scale.hot_advertiser_ads)]
    groups += zipf(range(hot_groups + 1, scale.ad_groups + 1), scale.ads - len(groups), random)
    sizes = Counter(campaigns)
    small = [number for number in range(2, scale.campaigns + 1) if 0 < sizes[number] <= _GROUPS_OF_PROPORTIONAL_MAX]
    return Family(advertisers, campaigns, groups, frozenset(small[::4]))


def zipf(parents: "range | list[int]", children: int, random: Random) -> list[int]:
    """A parent for each child. Each parent gets one child while there are enough; the rest go by rank, 1 / (rank + 5).

    The 5 keeps the largest from owning a tenth of everything.
    """
    ranked = list(parents)
    random.shuffle(ranked)
    weights = list(accumulate(1 / (rank + 5) for rank in range(1, len(ranked) + 1)))
    chosen = ranked[:children] + random.choices(ranked, cum_weights=weights, k=max(children - len(ranked), 0))
    random.shuffle(chosen)
    return chosen


def sometimes_gone(parent: int, random: Random) -> int | None:
    """The parent; in a few of a thousand cases the id of a row that isn't there, or NULL."""
    draw = random.random()
    if draw >= _GONE_SHARE:
        return parent
    return GONE if draw < _GONE_SHARE / 2 else None
