"""The sample database: the same from the same seed, skewed, and with everything in it that databases have."""

import sqlite3
from collections import Counter
from random import Random

import pytest

from ops.demo import generator, schema
from ops.demo.scale import SCALES, Scale
from ops.demo.skew import HOT_ADVERTISER, HOT_CAMPAIGN, MARKETPLACE

HOT = "SELECT COUNT(*) FROM ads a JOIN ad_groups g ON g.id = a.ad_group_id JOIN campaigns c ON c.id = g.campaign_id"


def made(scale: Scale, seed: int) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.create(connection)
    generator.generate(connection, scale, Random(seed))
    return connection


@pytest.fixture(scope="module")
def small() -> sqlite3.Connection:
    return made(SCALES["small"], 1)


def one(connection: sqlite3.Connection, query: str) -> int:
    value: int = connection.execute(query).fetchone()[0]
    return value


def test_the_same_seed_gives_the_same_database() -> None:
    first, second = (list(made(SCALES["tiny"], 7).iterdump()) for _ in range(2))
    assert first == second
    assert first != list(made(SCALES["tiny"], 8).iterdump())


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_a_scale_has_the_sizes_that_it_names(name: str) -> None:
    scale = SCALES[name]
    connection = made(scale, 3)
    for table in ("advertisers", "campaigns", "ad_groups", "ads", "creatives", "pins", "targeting_specs"):
        assert one(connection, f"SELECT COUNT(*) FROM {table}") == getattr(scale, table)
    assert one(connection, f"{HOT} WHERE c.id = {HOT_CAMPAIGN}") == scale.hot_campaign_ads
    assert one(connection, f"{HOT} WHERE c.advertiser_id = {HOT_ADVERTISER}") == scale.hot_advertiser_ads


def test_the_job_of_the_bench_has_its_sizes() -> None:
    j4 = SCALES["j4"]
    assert (j4.advertisers, j4.campaigns, j4.ad_groups, j4.ads) == (200, 1_000, 5_000, 50_000)
    assert (j4.hot_campaign_ads, j4.hot_advertiser_ads) == (50, 250)
    connection = sqlite3.connect(":memory:")
    schema.create(connection)
    assert len(connection.execute("SELECT * FROM ads").description) == 16


def test_every_advertiser_depends_on_one_marketplace(small: sqlite3.Connection) -> None:
    assert one(small, f"SELECT COUNT(*) FROM advertisers WHERE marketplace_id IS NOT {MARKETPLACE}") == 0


def test_sizes_are_skewed(small: sqlite3.Connection) -> None:
    query = "SELECT campaign_id FROM ads a JOIN ad_groups g ON g.id = a.ad_group_id"
    sizes = sorted(Counter(row[0] for row in small.execute(query)).values())
    assert sizes[-1] > 4 * sizes[len(sizes) // 2]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT COUNT(*) FROM ads WHERE title IS NULL",
        "SELECT COUNT(*) FROM ads WHERE title = ''",
        "SELECT COUNT(*) FROM ads WHERE title LIKE '%👨‍👩‍👧‍👦%'",
        "SELECT COUNT(*) FROM ads WHERE title LIKE '%נעלי%'",
        "SELECT COUNT(*) FROM ads WHERE title LIKE '%e\u0301%'",
        "SELECT COUNT(*) FROM ads WHERE length(title) > 500",
        "SELECT COUNT(*) FROM ads WHERE status IN ('PAUSED', 'DELETED')",
        "SELECT COUNT(*) FROM ads WHERE status IS NULL",
        "SELECT COUNT(*) FROM ads WHERE pin_id NOT IN (SELECT id FROM pins)",
        "SELECT COUNT(*) FROM ads WHERE creative_id NOT IN (SELECT id FROM creatives)",
        "SELECT COUNT(*) FROM ads WHERE ad_group_id IS NULL OR ad_group_id NOT IN (SELECT id FROM ad_groups)",
        "SELECT COUNT(*) FROM ad_keywords WHERE keyword_id NOT IN (SELECT id FROM keywords)",
        "SELECT COUNT(*) FROM ad_keywords WHERE position IS NULL",
        "SELECT COUNT(*) FROM campaigns WHERE bid_strategy = 'PROPORTIONAL'",
        "SELECT COUNT(*) FROM campaigns WHERE id NOT IN (SELECT campaign_id FROM spend)",
    ],
)
def test_what_real_databases_have_occurs(small: sqlite3.Connection, query: str) -> None:
    assert one(small, query) > 0
