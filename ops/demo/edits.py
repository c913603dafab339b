"""What advertisers and models do to the sample database: one function a kind of edit, each run inside one transaction.

Every edit really changes every ad that it names, so that a lost change can be told from one that was none.
"""

import sqlite3
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from ops.demo import accounts, draws, words
from ops.demo.population import Population
from ops.demo.torn import BUDGET_PER_BID


class Effect(NamedTuple):
    """ads: ids of the ads whose documents change, are new, or vanish. tag: the matching number of a torn pair."""

    ads: list[int]
    tag: int | None = None


EditFunction = Callable[[sqlite3.Connection, Population, Random], Effect]

_OTHER_BID = "bid_micros = (COALESCE(bid_micros, 0) + ?) % 20000000 + 10000"  # never what it was, never negative
_INSERT_AD = f"INSERT OR REPLACE INTO ads VALUES ({', '.join('?' * 16)})"


def _ad_bid(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    ad = random.choice(population.ads)
    connection.execute(f"UPDATE ads SET {_OTHER_BID} WHERE id = ?", (random.randrange(1, 50_000), ad))
    return Effect([ad])


def _ad_status(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    """A pause, or its end."""
    ad = random.choice(population.ads)
    connection.execute("UPDATE ads SET status = iif(status = 'ACTIVE', 'PAUSED', 'ACTIVE') WHERE id = ?", (ad,))
    return Effect([ad])


def _ad_title(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    ad = random.choice(population.ads)
    title = f"{words.title(random) or 'Untitled'} {random.getrandbits(48):012x}"
    values = (title, f"{draws.instant(random)}.{random.randrange(1000):03d}", ad)
    connection.execute("UPDATE ads SET title = ?, updated_at = ? WHERE id = ?", values)
    return Effect([ad])


def _ad_quality(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    """A model has scored the ad again."""
    ad = random.choice(population.ads)
    values = (round(random.random(), 6), f"{random.getrandbits(64):016x}", ad)
    connection.execute("UPDATE ads SET quality_score = ?, image_signature = ? WHERE id = ?", values)
    return Effect([ad])


def _ad_move(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    """To another ad group, often of another campaign."""
    ad, group = random.choice(population.ads), random.choice(population.groups)
    moved = connection.execute(
        "UPDATE ads SET ad_group_id = ? WHERE id = ? AND ad_group_id IS NOT ?", (group, ad, group)
    )
    return Effect([ad] if moved.rowcount else [])


def _ad_new(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    """With its keywords, in one transaction."""
    identity = connection.execute(_INSERT_AD, _some_ad(None, population, random)).lastrowid
    assert identity is not None
    population.ads.append(identity)
    _add_keywords(connection, identity, population, random)
    return Effect([identity])


def _ad_delete(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    """With its keywords; sometimes they are forgotten."""
    if len(population.ads) < 2:
        return Effect([])
    ad = population.take_ad(random)
    connection.execute("DELETE FROM ads WHERE id = ?", (ad,))
    if random.random() < 0.8:
        connection.execute("DELETE FROM ad_keywords WHERE ad_id = ?", (ad,))
    return Effect([ad])


def _ad_reinsert(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    """A deleted ad comes back under its id; if none is gone, one is replaced."""
    if population.gone:
        ad = population.gone.pop(random.randrange(len(population.gone)))
        population.ads.append(ad)
    else:
        ad = random.choice(population.ads)
        if random.random() < 0.5:
            connection.execute("DELETE FROM ads WHERE id = ?", (ad,))
    connection.execute(_INSERT_AD, _some_ad(ad, population, random))
    return Effect([ad])


def _ad_keyword(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    """One more keyword at the front, or all of them gone."""
    ad = random.choice(population.ads)
    if random.random() < 0.7 or not connection.execute("DELETE FROM ad_keywords WHERE ad_id = ?", (ad,)).rowcount:
        connection.execute("UPDATE ad_keywords SET position = position + 1 WHERE ad_id = ?", (ad,))
        _add_keywords(connection, ad, population, random)
    return Effect([ad])


def _group_bid(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    group = random.choice(population.free_groups)
    connection.execute(f"UPDATE ad_groups SET {_OTHER_BID} WHERE id = ?", (random.randrange(1, 50_000), group))
    return Effect(ads_of_groups(connection, "id = ?", group))


def _group_status(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    group = random.choice(population.groups)
    connection.execute(
        "UPDATE ad_groups SET status = iif(status = 'ACTIVE', 'PAUSED', 'ACTIVE') WHERE id = ?", (group,)
    )
    return Effect(ads_of_groups(connection, "id = ?", group))


def _campaign_budget(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    campaign = random.choice(population.manual)
    other = "daily_budget_micros = (COALESCE(daily_budget_micros, 0) + ?) % 900000000 + 1000000"
    connection.execute(f"UPDATE campaigns SET {other} WHERE id = ?", (random.randrange(1, 90) * 1_000_000, campaign))
    return Effect(ads_of_groups(connection, "campaign_id = ?", campaign))


def _campaign_status(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    campaign = random.choice(population.manual)
    connection.execute(
        "UPDATE campaigns SET status = iif(status = 'ACTIVE', 'PAUSED', 'ACTIVE') WHERE id = ?", (campaign,)
    )
    return Effect(ads_of_groups(connection, "campaign_id = ?", campaign))


def _campaign_spend(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    """Money was spent; the pacing handler follows."""
    campaign, spent = random.choice(population.manual), random.randrange(1, 5_000_000)
    more = "spent_micros = spent_micros + excluded.spent_micros, measured_at = excluded.measured_at"
    values = (campaign, spent, 1, 0, draws.instant(random))
    connection.execute(
        f"INSERT INTO spend VALUES (?, ?, ?, ?, ?) ON CONFLICT (campaign_id) DO UPDATE SET {more}", values
    )
    return Effect(ads_of_groups(connection, "campaign_id = ?", campaign))


def _torn_pair(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    """Bid and budget get matching numbers in two tables; a document with only one of them is torn."""
    campaign = random.choice(population.paired)
    (budget,) = connection.execute("SELECT daily_budget_micros FROM campaigns WHERE id = ?", (campaign,)).fetchone()
    bid = budget // BUDGET_PER_BID + random.randrange(1, 1000)
    connection.execute("UPDATE ad_groups SET bid_micros = ? WHERE campaign_id = ?", (bid, campaign))
    values = (bid * BUDGET_PER_BID, campaign)
    connection.execute("UPDATE campaigns SET daily_budget_micros = ? WHERE id = ?", values)
    return Effect(ads_of_groups(connection, "campaign_id = ?", campaign), tag=bid)


def _targeting(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    """Ages, schedule, countries and interests of one spec."""
    spec = random.choice(population.targeting_specs)
    other_age = "age_min = (COALESCE(age_min, 18) + ?) % 60 + 18"
    values = (random.randrange(1, 20), draws.schedule(random), spec)
    connection.execute(f"UPDATE targeting_specs SET {other_age}, schedule = ? WHERE id = ?", values)
    if random.random() < 0.5:
        country = random.choice(words.COUNTRIES)
        connection.execute("DELETE FROM targeting_geos WHERE targeting_spec_id = ? AND country = ?", (spec, country))
        connection.execute(
            "INSERT INTO targeting_geos VALUES (?, ?, ?, 0)", (spec, country, random.choice(("", "Süd")))
        )
    if random.random() < 0.5:
        weighted = (spec, random.randrange(1, len(words.INTERESTS) + 1), random.random())
        connection.execute("INSERT OR REPLACE INTO targeting_interests VALUES (?, ?, ?)", weighted)
    return Effect(ads_of_groups(connection, "targeting_spec_id = ?", spec))


def _creative_and_ads(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    """A relaunch: a creative, its ads and their pins change in one transaction."""
    creative, mark = random.choice(population.creatives), f"{random.getrandbits(48):012x}"
    ads = [row[0] for row in connection.execute("SELECT id FROM ads WHERE creative_id = ?", (creative,))]
    connection.execute("UPDATE creatives SET headline = ?, body = NULL WHERE id = ?", (f"Relaunch {mark}", creative))
    connection.execute("UPDATE ads SET description = ? WHERE creative_id = ?", (f"As seen in {mark}", creative))
    return Effect(ads)


def _pin_counts(connection: sqlite3.Connection, population: Population, random: Random) -> Effect:
    pin = random.choice(population.pins)
    connection.execute("UPDATE pins SET saves = saves + 1, impressions = impressions + 3 WHERE id = ?", (pin,))
    return Effect([row[0] for row in connection.execute("SELECT id FROM ads WHERE pin_id = ?", (pin,))])


def ads_of_groups(connection: sqlite3.Connection, where: str, value: int) -> list[int]:
    """Ids of the ads in the ad groups that `where` chooses."""
    query = f"SELECT id FROM ads WHERE ad_group_id IN (SELECT id FROM ad_groups WHERE {where})"
    return [row[0] for row in connection.execute(query, (value,))]


def _some_ad(identity: int | None, population: Population, random: Random) -> tuple[object, ...]:
    group = random.choice(population.groups)
    return accounts.ad_row(identity, group, len(population.creatives), len(population.pins), random)


def _add_keywords(connection: sqlite3.Connection, ad: int, population: Population, random: Random) -> None:
    chosen = enumerate(random.sample(population.keywords, random.randrange(1, 4)))
    rows = [(ad, keyword, position, "EXACT") for position, keyword in chosen]
    connection.executemany(
        "INSERT INTO ad_keywords (ad_id, keyword_id, position, match_type) VALUES (?, ?, ?, ?)", rows
    )


EDITS: dict[str, tuple[EditFunction, int]] = {
    "ad_bid": (_ad_bid, 14),
    "ad_status": (_ad_status, 10),
    "ad_title": (_ad_title, 12),
    "ad_quality": (_ad_quality, 5),
    "ad_move": (_ad_move, 4),
    "ad_new": (_ad_new, 6),
    "ad_delete": (_ad_delete, 4),
    "ad_reinsert": (_ad_reinsert, 3),
    "ad_keyword": (_ad_keyword, 5),
    "group_bid": (_group_bid, 8),
    "group_status": (_group_status, 2),
    "campaign_budget": (_campaign_budget, 7),
    "campaign_status": (_campaign_status, 2),
    "campaign_spend": (_campaign_spend, 3),
    "torn_pair": (_torn_pair, 6),
    "targeting": (_targeting, 3),
    "creative_and_ads": (_creative_and_ads, 4),
    "pin_counts": (_pin_counts, 2),
}
"""Every kind of edit, with its weight in a hundred."""
