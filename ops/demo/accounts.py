"""Rows of what advertisers set: accounts, budgets, campaigns, ad groups, ads."""

import json
from datetime import timedelta
from random import Random
from typing import Any

from ops.demo import draws, words
from ops.demo.draws import Rows
from ops.demo.scale import Scale
from ops.demo.skew import GONE, MARKETPLACE, Family, sometimes_gone
from ops.demo.torn import BUDGET_PER_BID

CURRENCIES = (
    ("USD", "$", "1", 2), ("EUR", "€", "1.0842", 2), ("JPY", "¥", "0.006713", 0), ("BRL", "R$", "0.1853", 2),
    ("XTS", "¤", None, 2),
)  # fmt: skip
OBJECTIVES = ("AWARENESS", "CONSIDERATION", "CONVERSIONS", "SHOPPING", "VIDEO")
_HOT_ADS_GAP = 400  # the first ads belong to the parents of known size: none of them may point to nothing


def advertisers(scale: Scale, random: Random) -> Rows:
    """All in one marketplace."""
    for number in range(1, scale.advertisers + 1):
        yield (
            number,
            MARKETPLACE,
            f"{random.choice(words.ADJECTIVES)} & Söhne {number}",
            draws.maybe(random, 0.05, words.COUNTRIES),
            random.choice(("Europe/Berlin", "America/New_York", "Asia/Tokyo")),
            draws.maybe(random, 0.1, ("Retail", "Travel", "CPG")),
            random.randrange(1, 4),
            "ACTIVE" if random.random() < 0.95 else random.choice(("PAUSED", "SUSPENDED")),
            random.choice((0, 1, None)),
            f"{random.randrange(10**8) / 100:.2f}",
            f"billing{number}@example.com",
            json.dumps({"language": "de", "limits": [number, None], "beta": number % 2 == 0}),
            draws.day(random),
        )


def budgets(scale: Scale, random: Random) -> Rows:
    """In several currencies; one in twenty has no amount."""
    for number in range(1, scale.budgets + 1):
        currency = random.choices(CURRENCIES, (60, 20, 10, 8, 2))[0][0]
        amount = None if random.random() < 0.05 else f"{random.randrange(10**7) / 100:.2f}"
        period = random.choice(("DAILY", "LIFETIME"))
        owner = random.randrange(1, scale.advertisers + 1)
        yield number, owner, currency, draws.maybe(random, 0.2, words.NOUNS), period, amount, number % 2


def campaigns(scale: Scale, tree: Family, random: Random) -> Rows:
    """Hot ones are active; of the others some are paused, archived, deleted, or without an advertiser."""
    for number, advertiser in enumerate(tree.advertiser_of_campaign, 1):
        proportional = number in tree.proportional
        daily = _first_bid(number) * BUDGET_PER_BID if proportional else random.randrange(1, 500) * 1_000_000
        hot = number <= 10
        start = draws.FIRST_DAY + timedelta(days=random.randrange(300))
        yield (
            number,
            advertiser if hot else sometimes_gone(advertiser, random),
            random.randrange(1, scale.budgets + 1) if random.random() < 0.97 else random.choice((None, GONE)),
            f"{random.choice(words.ADJECTIVES)} campaign {number}",
            draws.maybe(random, 0.03, OBJECTIVES),
            "ACTIVE" if hot or random.random() < 0.85 else random.choice(("PAUSED", "ARCHIVED", "DELETED", None)),
            "PROPORTIONAL" if proportional else random.choice(("MANUAL", "AUTOMATIC")),
            daily if proportional or random.random() < 0.95 else random.choice((None, 0)),
            daily * 30 if random.random() < 0.4 else None,
            random.choice((None, 1, 3, 10)),
            round(random.uniform(0.1, 9), 3),
            str(start),
            str(start + timedelta(days=random.randrange(-2, 90))) if random.random() < 0.7 else None,
            random.choice((None, "[]", '["q4", "brand ✨"]')),
            draws.instant(random),
        )


def ad_groups(scale: Scale, tree: Family, random: Random) -> Rows:
    """Those of a PROPORTIONAL campaign bid what its budget says."""
    for number, campaign in enumerate(tree.campaign_of_ad_group, 1):
        proportional = campaign in tree.proportional
        bid = _first_bid(campaign) if proportional else random.randrange(10_000, 5_000_000)
        has_objective_bids = not proportional and random.random() < 0.3
        yield (
            number,
            campaign,
            random.randrange(1, scale.targeting_specs + 1) if random.random() < 0.97 else None,
            f"Group {number}",
            "ACTIVE" if random.random() < 0.9 else random.choice(("PAUSED", None)),
            bid if proportional or random.random() < 0.97 else None,
            _objective_bids(random) if has_objective_bids else None,
            random.choice(("CLICKS", "REACH", "SALES")),
            draws.maybe(random, 0.2, ("SEARCH", "BROWSE", "RELATED")),
            draws.instant(random),
            draws.instant(random) if random.random() < 0.3 else None,
        )


def ads(scale: Scale, tree: Family, random: Random) -> Rows:
    """Some belong to ad groups that are not there."""
    for number, group in enumerate(tree.ad_group_of_ad, 1):
        parent = group if number <= _HOT_ADS_GAP else sometimes_gone(group, random)
        yield ad_row(number, parent, scale.creatives, scale.pins, random)


def ad_row(
    identity: int | None, ad_group: int | None, scale_creatives: int, scale_pins: int, random: Random
) -> tuple[Any, ...]:
    """One row of `ads`: the table's 16 columns in order. identity None: SQLite chooses the next one."""
    draw = random.random
    return (
        identity,
        ad_group,
        GONE if draw() < 0.005 else random.randrange(1, scale_creatives + 1),
        None if draw() < 0.05 else GONE if draw() < 0.01 else random.randrange(1, scale_pins + 1),
        words.title(random),
        words.title(random) if draw() < 0.5 else "",
        "ACTIVE" if draw() < 0.85 else random.choice(("PAUSED", "DELETED", None)),
        "APPROVED" if draw() < 0.9 else random.choice(("EXEMPT", "PENDING", "REJECTED", None)),
        random.randrange(10_000, 5_000_000) if draw() < 0.3 else None,
        f"{0.5 + draw():.3f}" if draw() < 0.4 else None,
        random.choice(("SHOP", "LEARN_MORE", "SIGN_UP", None)),
        1 if draw() < 0.7 else 0,
        None if draw() < 0.6 else f'{{"utm_source": "pins", "utm_campaign": "c&{random.randrange(100)}"}}',
        round(draw(), 4) if draw() < 0.9 else None,
        f"{random.getrandbits(64):016x}",
        draws.instant(random),
    )


def _objective_bids(random: Random) -> str:
    return json.dumps({random.choice(OBJECTIVES): random.randrange(10_000, 9_000_000)})


def _first_bid(campaign: int) -> int:
    """What the ad groups of a PROPORTIONAL campaign bid at first, in micros."""
    return 100_000 + campaign
