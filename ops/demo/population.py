"""The rows that a live editor may pick from, kept as ids so that a pick costs no query."""

import sqlite3
from random import Random


class Population:
    """Ids by kind. Only the ads change while edits go on; deleted ones stand in `gone` and may come back.

    paired   PROPORTIONAL campaigns: bid and budget are only edited together (ops/demo/torn.py)
    manual   all other campaigns; free_groups: ad groups of those
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        def ids(query: str) -> list[int]:
            return [row[0] for row in connection.execute(query)]

        self.ads = ids("SELECT id FROM ads ORDER BY id")
        self.gone: list[int] = []
        self.groups = ids("SELECT id FROM ad_groups ORDER BY id")
        self.paired = ids("SELECT id FROM campaigns WHERE bid_strategy = 'PROPORTIONAL' ORDER BY id")
        self.manual = ids("SELECT id FROM campaigns WHERE bid_strategy <> 'PROPORTIONAL' ORDER BY id")
        self.free_groups = ids(
            "SELECT g.id FROM ad_groups g JOIN campaigns c ON c.id = g.campaign_id"
            " WHERE c.bid_strategy <> 'PROPORTIONAL' ORDER BY g.id"
        )
        self.targeting_specs = ids("SELECT id FROM targeting_specs ORDER BY id")
        self.creatives = ids("SELECT id FROM creatives ORDER BY id")
        self.pins = ids("SELECT id FROM pins ORDER BY id")
        self.keywords = ids("SELECT id FROM keywords ORDER BY id")

    def take_ad(self, random: Random) -> int:
        """Removes an ad, in constant time, and remembers it as gone."""
        index = random.randrange(len(self.ads))
        self.ads[index], self.ads[-1] = self.ads[-1], self.ads[index]
        ad = self.ads.pop()
        self.gone.append(ad)
        return ad
