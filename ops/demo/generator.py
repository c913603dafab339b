"""Fills a sample ads database, the same from the same seed: skewed sizes, hot campaigns, NULLs, orphans."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from ops.demo import words
from ops.demo.scale import Scale
from ops.demo.skew import GONE, MARKETPLACE, Family, family, sometimes_gone
from ops.demo.torn import BUDGET_PER_BID

Rows = Iterable[tuple[Any, ...]]

_FIRST_DAY = date(2026, 1, 1)
_FIRST_INSTANT = datetime(2026, 1, 1)  # noqa: DTZ001  (the database holds UTC without saying so)
CURRENCIES = (
    ("USD", "$", "1", 2), ("EUR", "€", "1.0842", 2), ("JPY", "¥", "0.006713", 0), ("BRL", "R$", "0.1853", 2),
    ("XTS", "¤", None, 2),
)  # fmt: skip
OBJECTIVES = ("AWARENESS", "CONSIDERATION", "CONVERSIONS", "SHOPPING", "VIDEO")
_HOT_ADS_GAP = 400  # the first ads belong to the parents of known size: none of them may point to nothing


def generate(connection: sqlite3.Connection, scale: Scale, random: Random) -> None:
    """Fills the empty tables of schema.sql, in one transaction."""
    tree = family(scale, random)
    tables: dict[str, Callable[[], Rows]] = {
        "marketplaces": lambda: [(MARKETPLACE, "Global", 7, 50_000, 1), (2, "Closed beta", 1, 0, 0)],
        "currencies": lambda: CURRENCIES,
        "advertisers": lambda: _advertisers(scale, random),
        "budgets": lambda: _budgets(scale, random),
        "campaigns": lambda: _campaigns(scale, tree, random),
        "spend": lambda: _spend(scale, random),
        "targeting_specs": lambda: _targeting_specs(scale, random),
        "targeting_geos": lambda: _targeting_geos(scale, random),
        "interests": lambda: [(number, *interest) for number, interest in enumerate(words.INTERESTS, 1)],
        "targeting_interests": lambda: _targeting_interests(scale, random),
        "ad_groups": lambda: _ad_groups(scale, tree, random),
        "creatives": lambda: _creatives(scale, random),
        "pins": lambda: _pins(scale, random),
        "ads": lambda: _ads(scale, tree, random),
        "keywords": lambda: _keywords(scale, random),
        "ad_keywords": lambda: _ad_keywords(scale, random),
    }
    connection.execute("BEGIN IMMEDIATE")
    for table, rows in tables.items():
        width = len(connection.execute(f"SELECT * FROM {table} LIMIT 0").description)
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", rows())
    connection.execute("COMMIT")


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
        instant(random),
    )


def instant(random: Random) -> str:
    """A second of 2026, as databases print it."""
    return str(_FIRST_INSTANT + timedelta(seconds=random.randrange(300 * 86_400)))


def schedule(random: Random) -> str | None:
    """Business hours, evenings, overlapping rules; half have none."""
    if random.random() < 0.5:
        return None
    rules = [{"days": [0, 1, 2, 3, 4], "from": 9, "to": 17}]
    if random.random() < 0.5:
        start = random.randrange(20)
        rules.append({"days": random.sample(range(7), 3), "from": start, "to": random.randrange(start, 25)})
    return json.dumps(rules[random.randrange(2) :])


def _day(random: Random) -> str:
    return str(_FIRST_DAY + timedelta(days=random.randrange(360)))


def _advertisers(scale: Scale, random: Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, scale.advertisers + 1):
        yield (
            number,
            MARKETPLACE,
            f"{random.choice(words.ADJECTIVES)} & Söhne {number}",
            words.maybe(random, 0.05, words.COUNTRIES),
            random.choice(("Europe/Berlin", "America/New_York", "Asia/Tokyo")),
            words.maybe(random, 0.1, ("Retail", "Travel", "CPG")),
            random.randrange(1, 4),
            "ACTIVE" if random.random() < 0.95 else random.choice(("PAUSED", "SUSPENDED")),
            random.choice((0, 1, None)),
            f"{random.randrange(10**8) / 100:.2f}",
            f"billing{number}@example.com",
            json.dumps({"language": "de", "limits": [number, None], "beta": number % 2 == 0}),
            _day(random),
        )


def _budgets(scale: Scale, random: Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, scale.budgets + 1):
        currency = random.choices(CURRENCIES, (60, 20, 10, 8, 2))[0][0]
        amount = None if random.random() < 0.05 else f"{random.randrange(10**7) / 100:.2f}"
        period = random.choice(("DAILY", "LIFETIME"))
        owner = random.randrange(1, scale.advertisers + 1)
        yield number, owner, currency, words.maybe(random, 0.2, words.NOUNS), period, amount, number % 2


def _campaigns(scale: Scale, tree: Family, random: Random) -> Iterator[tuple[Any, ...]]:
    for number, advertiser in enumerate(tree.advertiser_of_campaign, 1):
        proportional = number in tree.proportional
        daily = first_bid(number) * BUDGET_PER_BID if proportional else random.randrange(1, 500) * 1_000_000
        hot = number <= 10
        start = _FIRST_DAY + timedelta(days=random.randrange(300))
        yield (
            number,
            advertiser if hot else sometimes_gone(advertiser, random),
            random.randrange(1, scale.budgets + 1) if random.random() < 0.97 else random.choice((None, GONE)),
            f"{random.choice(words.ADJECTIVES)} campaign {number}",
            words.maybe(random, 0.03, OBJECTIVES),
            "ACTIVE" if hot or random.random() < 0.85 else random.choice(("PAUSED", "ARCHIVED", "DELETED", None)),
            "PROPORTIONAL" if proportional else random.choice(("MANUAL", "AUTOMATIC")),
            daily if proportional or random.random() < 0.95 else random.choice((None, 0)),
            daily * 30 if random.random() < 0.4 else None,
            random.choice((None, 1, 3, 10)),
            round(random.uniform(0.1, 9), 3),
            str(start),
            str(start + timedelta(days=random.randrange(-2, 90))) if random.random() < 0.7 else None,
            random.choice((None, "[]", '["q4", "brand ✨"]')),
            instant(random),
        )


def first_bid(campaign: int) -> int:
    """What the ad groups of a PROPORTIONAL campaign bid at first, in micros."""
    return 100_000 + campaign


def _spend(scale: Scale, random: Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, scale.campaigns + 1):
        if random.random() < 0.9:
            shown = random.randrange(1_000_000)
            yield number, random.randrange(400_000_000), shown, shown // random.randrange(20, 200), instant(random)


def _targeting_specs(scale: Scale, random: Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, scale.targeting_specs + 1):
        yield (
            number,
            words.maybe(random, 0.3, words.ADJECTIVES),
            random.choice((None, 18, 21, 35)),
            random.choice((None, 34, 44, 65)),
            random.choice((None, "FEMALE", "MALE", "ALL")),
            random.choice((None, '["de", "en"]', '["ar"]', "[]")),
            random.choice((None, '["ios"]', '["ios", "android", "web"]')),
            random.choice((None, 5.5, 100.0)),
            random.choice((0, 1, None)),
            schedule(random),
        )


def _targeting_geos(scale: Scale, random: Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, scale.targeting_specs + 1):
        for country in random.sample(words.COUNTRIES, random.choice((0, 1, 1, 2, 4))):
            yield number, country, random.choice(("", "North", "Süd")), 1 if random.random() < 0.1 else 0


def _targeting_interests(scale: Scale, random: Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, scale.targeting_specs + 1):
        for interest in random.sample(range(1, len(words.INTERESTS) + 1), random.choice((0, 1, 2, 3, 5))):
            yield number, interest, round(random.random(), 3)
    yield 1, GONE, 0.5


def _ad_groups(scale: Scale, tree: Family, random: Random) -> Iterator[tuple[Any, ...]]:
    for number, campaign in enumerate(tree.campaign_of_ad_group, 1):
        proportional = campaign in tree.proportional
        bid = first_bid(campaign) if proportional else random.randrange(10_000, 5_000_000)
        bids = (
            None
            if proportional or random.random() < 0.7
            else {random.choice(OBJECTIVES): random.randrange(10_000, 9_000_000)}
        )
        yield (
            number,
            campaign,
            random.randrange(1, scale.targeting_specs + 1) if random.random() < 0.97 else None,
            f"Group {number}",
            "ACTIVE" if random.random() < 0.9 else random.choice(("PAUSED", None)),
            bid if proportional or random.random() < 0.97 else None,
            None if bids is None else json.dumps(bids),
            random.choice(("CLICKS", "REACH", "SALES")),
            words.maybe(random, 0.2, ("SEARCH", "BROWSE", "RELATED")),
            instant(random),
            instant(random) if random.random() < 0.3 else None,
        )


def _creatives(scale: Scale, random: Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, scale.creatives + 1):
        url = f"https://shop.example/{number}{random.choice(('', '?ref=ad', '/ü'))}" if random.random() < 0.8 else None
        video = random.random() < 0.2
        yield (
            number,
            words.title(random),
            None if random.random() < 0.5 else words.title(random),
            "VIDEO" if video else "IMAGE",
            random.choice(("en", "de", "ar", None)),
            url,
            round(random.uniform(3, 60), 2) if video else None,
            random.randbytes(16) if random.random() < 0.9 else None,
            1 if random.random() < 0.05 else 0,
        )


def _pins(scale: Scale, random: Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, scale.pins + 1):
        shown = int(random.paretovariate(0.9)) * random.randrange(50) % 10**9
        yield (
            number,
            words.title(random),
            words.maybe(random, 0.3, words.NOUNS),
            f"https://pins.example/{number}",
            f"#{random.getrandbits(24):06x}",
            random.choice((564, 736, 1000, None)),
            random.choice((846, 1500, 0, None)),
            1 if random.random() < 0.2 else 0,
            shown // 50,
            shown // 80,
            shown,
            f'[["{random.choice(words.NOUNS)}", {random.random():.3f}]]',
            random.randbytes(8),
            _day(random),
        )


def _ads(scale: Scale, tree: Family, random: Random) -> Iterator[tuple[Any, ...]]:
    for number, group in enumerate(tree.ad_group_of_ad, 1):
        parent = group if number <= _HOT_ADS_GAP else sometimes_gone(group, random)
        yield ad_row(number, parent, scale.creatives, scale.pins, random)


def _keywords(scale: Scale, random: Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, scale.keywords + 1):
        volume = int(random.paretovariate(0.8)) % 10**12
        yield number, words.keyword(number, random), words.maybe(random, 0.2, ("en", "de", "ja")), volume


def _ad_keywords(scale: Scale, random: Random) -> Iterator[tuple[Any, ...]]:
    """One ad in three has keywords of its own; popular keywords first; some positions are NULL or shared."""
    number = 0
    for ad in range(1, scale.ads + 1):
        for position in range(random.choice((0, 0, 0, 0, 1, 2, 5))):
            number += 1
            chosen = min(int(random.paretovariate(0.6)), scale.keywords)
            keyword = chosen if random.random() < 0.998 else GONE
            place = random.choice((position, position, position, 0, None))
            yield number, ad, keyword, place, random.choice(("EXACT", "PHRASE", "BROAD"))
