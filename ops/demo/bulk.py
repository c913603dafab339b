"""Edits of a known size for the bench: a burst of single ads, one row that 50, 250 or all documents depend on, ads that
go and come back."""

import sqlite3
from collections.abc import Sequence
from random import Random
from typing import Any

from ops.demo.edits import Effect, ads_of_groups
from ops.demo.skew import HOT_ADVERTISER, HOT_CAMPAIGN, MARKETPLACE


def burst(connection: sqlite3.Connection, random: Random, count: int) -> Effect:
    """So many different ads get another bid; run it in one transaction."""
    ads = random.sample([row[0] for row in connection.execute("SELECT id FROM ads ORDER BY id")], count)
    rows = [(random.randrange(1, 50_000), ad) for ad in ads]
    connection.executemany("UPDATE ads SET bid_micros = COALESCE(bid_micros, 0) + ? WHERE id = ?", rows)
    return Effect(ads)


def rename_campaign(connection: sqlite3.Connection, mark: str) -> Effect:
    """The campaign that holds exactly as many ads as the scale says."""
    connection.execute("UPDATE campaigns SET name = ? WHERE id = ?", (f"Hot campaign {mark}", HOT_CAMPAIGN))
    return Effect(ads_of_groups(connection, "campaign_id = ?", HOT_CAMPAIGN))


def rename_advertiser(connection: sqlite3.Connection, mark: str) -> Effect:
    """The advertiser that owns exactly as many ads as the scale says."""
    connection.execute("UPDATE advertisers SET name = ? WHERE id = ?", (f"Hot advertiser {mark}", HOT_ADVERTISER))
    campaigns = "campaign_id IN (SELECT id FROM campaigns WHERE advertiser_id = ?)"
    return Effect(ads_of_groups(connection, campaigns, HOT_ADVERTISER))


def rename_marketplace(connection: sqlite3.Connection, mark: str) -> Effect:
    """The one row that every ad depends on (but for the few whose ad group, campaign or advertiser is gone)."""
    connection.execute("UPDATE marketplaces SET name = ? WHERE id = ?", (f"Global {mark}", MARKETPLACE))
    query = (
        "SELECT a.id FROM ads a JOIN ad_groups g ON g.id = a.ad_group_id JOIN campaigns c ON c.id = g.campaign_id"
        " JOIN advertisers v ON v.id = c.advertiser_id WHERE v.marketplace_id = ?"
    )
    return Effect([row[0] for row in connection.execute(query, (MARKETPLACE,))])


def choose_ads(connection: sqlite3.Connection, random: Random, count: int) -> list[tuple[Any, ...]]:
    """So many whole rows of `ads`."""
    chosen = random.sample([row[0] for row in connection.execute("SELECT id FROM ads ORDER BY id")], count)
    return [connection.execute("SELECT * FROM ads WHERE id = ?", (ad,)).fetchone() for ad in chosen]


def delete_ads(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> Effect:
    """Their keywords stay behind."""
    connection.executemany("DELETE FROM ads WHERE id = ?", [(row[0],) for row in rows])
    return Effect([row[0] for row in rows])


def insert_ads(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> Effect:
    """As they were."""
    connection.executemany(f"INSERT INTO ads VALUES ({', '.join('?' * 16)})", rows)
    return Effect([row[0] for row in rows])
