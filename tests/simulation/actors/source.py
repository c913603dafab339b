"""A database with ads, groups and campaigns, its transactions as units, and what a document of it is: the join."""

from collections.abc import Callable, Sequence
from random import Random

from proto.codec import encode_key
from proto.events import TableRows, Unit, encode
from proto.lane import Lane
from tests.simulation.argus_process import SOURCE

COLUMNS = {"ads": ("id", "group_id", "title"), "groups": ("id", "status"), "campaigns": ("id", "budget")}
IDS = (1, 2)
Row = tuple[object, ...]
"""Aligned with COLUMNS."""


class Source:
    """rows: table -> id -> row, as the database has them now. units: all that was ever committed, encoded.

    A source is about some of its tables and ads only, so that its edits get in each other's way.
    """

    def __init__(self) -> None:
        self._about: Sequence[Sequence[str]] = ()
        self._ads = IDS
        self.rows: dict[str, dict[int, Row]] = {table: {} for table in COLUMNS}
        self.units: list[bytes] = []

    def fill(self, random: Random) -> None:
        """What is there at first."""
        self._about, self._ads = random.choice(_ABOUT), random.choice(((1,), IDS))
        self._commit({"groups": {1: (1, "ON"), 2: (2, "OFF")}, "campaigns": {1: (1, 10), 2: (2, 20)}})
        self._commit({"ads": {id: (id, id, str(id)) for id in IDS}})

    def edit(self, random: Random) -> None:
        """A transaction of one or two rows. Few values, so that what was comes back, and ids that are met again."""
        changes: dict[str, dict[int, Row | None]] = {}
        for table in random.choice(self._about):
            id = random.choice(self._ads if table == "ads" else IDS)
            changes[table] = {id: _EDITS[table](random, id)}
        self._commit(changes)

    def _commit(self, changes: dict[str, dict[int, Row | None]] | dict[str, dict[int, Row]]) -> None:
        tables: list[TableRows] = []
        for table, rows in changes.items():
            tables.append(TableRows(table, COLUMNS[table], [], []))
            for id, row in rows.items():
                if row is None:
                    self.rows[table].pop(id, None)
                    tables[-1].deleted.append((id,))
                else:
                    self.rows[table][id] = row
                    tables[-1].rows.append(row)
        at = len(self.units) + 1
        self.units.append(encode(Unit(SOURCE, "stream", 1, at - 1, at, Lane.HIGH, tables)))


_ABOUT = (
    (("ads",),),
    (("ads",),),
    (("ads",), ("campaigns",)),
    (("ads",), ("groups",)),
    (("ads",), ("ads",), ("groups",), ("campaigns",), ("groups", "ads")),
)


def _ad(random: Random, id: int) -> Row | None:
    if random.random() < 0.05:
        return None
    return id, id if random.random() < 0.7 else 3 - id, str(random.choice(IDS))


def _group(random: Random, id: int) -> Row:
    return id, random.choice(("ON", "OFF"))


def _campaign(random: Random, id: int) -> Row:
    return id, random.randint(1, 99)


_EDITS: dict[str, Callable[[Random, int], Row | None]] = {"ads": _ad, "groups": _group, "campaigns": _campaign}


def document_of(ad: int, row: Callable[[str, int], Row | None]) -> tuple[object, ...] | None:
    """What an ad's document must hold, over rows as they were at one moment: status, title, budget, which is the order
    in which they are stored. None: there is no ad."""
    root = row("ads", ad)
    if root is None:
        return None
    _, group_id, title = root
    group, campaign = row("groups", int(str(group_id))), row("campaigns", int(str(title)))
    return group and group[1], title, campaign and campaign[1]


def key_of(id: int) -> bytes:
    """Of any of these rows, and of a document."""
    return encode_key((SOURCE, id))
