"""Fills a sample ads database, the same from the same seed: skewed sizes, hot campaigns, NULLs, orphans."""

import sqlite3
from collections.abc import Callable
from random import Random

from ops.demo import accounts, audiences, content, words
from ops.demo.draws import Rows
from ops.demo.scale import Scale
from ops.demo.skew import MARKETPLACE, family


def generate(connection: sqlite3.Connection, scale: Scale, random: Random) -> None:
    """Fills the empty tables of schema.sql, in one transaction."""
    tree = family(scale, random)
    tables: dict[str, Callable[[], Rows]] = {
        "marketplaces": lambda: [(MARKETPLACE, "Global", 7, 50_000, 1), (2, "Closed beta", 1, 0, 0)],
        "currencies": lambda: accounts.CURRENCIES,
        "advertisers": lambda: accounts.advertisers(scale, random),
        "budgets": lambda: accounts.budgets(scale, random),
        "campaigns": lambda: accounts.campaigns(scale, tree, random),
        "spend": lambda: content.spend(scale, random),
        "targeting_specs": lambda: audiences.targeting_specs(scale, random),
        "targeting_geos": lambda: audiences.targeting_geos(scale, random),
        "interests": lambda: [(number, *interest) for number, interest in enumerate(words.INTERESTS, 1)],
        "targeting_interests": lambda: audiences.targeting_interests(scale, random),
        "ad_groups": lambda: accounts.ad_groups(scale, tree, random),
        "creatives": lambda: content.creatives(scale, random),
        "pins": lambda: content.pins(scale, random),
        "ads": lambda: accounts.ads(scale, tree, random),
        "keywords": lambda: content.keywords(scale, random),
        "ad_keywords": lambda: content.ad_keywords(scale, random),
    }
    connection.execute("BEGIN IMMEDIATE")
    for table, rows in tables.items():
        width = len(connection.execute(f"SELECT * FROM {table} LIMIT 0").description)
        connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * width)})", rows())
    connection.execute("COMMIT")
