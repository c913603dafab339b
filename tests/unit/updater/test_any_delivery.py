"""Whatever the lanes' order, with replays, duplicates, chunks, deletes, re-inserts and bad values: the source's rows
win."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proto.events import RowChange, TableRows, Unit
from proto.flows.model import Collection, Reference
from proto.lane import Lane
from proto.ports.processor import Done
from repo.keys import index_entry
from tests.support.shop import SHOP, House, unit

LANES = {"campaigns": Lane.HIGH, "ads": Lane.HIGH, "ad_keywords": Lane.MEDIUM, "notes": Lane.LOW}
KEYS = {"campaigns": ("id",), "ads": ("id",), "ad_keywords": ("ad_id", "word"), "notes": ("id",)}
BAD = "bad"
_ADDRESSES: dict[str, list[tuple[Any, ...]]] = {
    "campaigns": [(1,)],
    "ads": [(1,), (2,)],
    "ad_keywords": [(1, "w")],
    "notes": [("x",)],
}

_value = st.sampled_from([1, 2])
_ROWS = {
    "campaigns": st.fixed_dictionaries({"id": st.just(1), "budget": st.sampled_from(["1", "2", BAD])}),
    "ads": st.fixed_dictionaries(
        {"id": _value, "campaign_id": st.sampled_from([None, 1, 2]), "image": _value.map(str)}
    ),
    "ad_keywords": st.fixed_dictionaries(
        {"ad_id": st.just(1), "word": st.just("w"), "position": st.sampled_from([None, 1, BAD])}
    ),
    "notes": st.fixed_dictionaries({"id": st.just("x"), "text": st.sampled_from(["", "t"])}),
}
_EDIT = st.one_of(
    *(st.tuples(st.just(name), made, st.sampled_from([False, False, True])) for name, made in _ROWS.items())
)
"""(table, row, whether it is deleted)"""
_COMMIT = st.lists(_EDIT, min_size=1, max_size=3)
_STEP = st.one_of(_COMMIT, _COMMIT, st.sampled_from(sorted(_ROWS)))
"""A commit of the source, or a table that is read whole."""
_DELIVERY = st.tuples(st.sampled_from(list(Lane)), st.integers(1, 3), st.sampled_from([0, 0, 2]))
"""(lane, units in the batch, how many messages before are offered again)"""

Address = tuple[str, tuple[Any, ...]]


@dataclass
class Source:
    """A database, and a gateway that sends what happens to it."""

    rows: dict[Address, dict[str, Any]] = field(default_factory=dict)
    topics: dict[Lane, list[Unit]] = field(default_factory=lambda: {lane: [] for lane in Lane})
    sent: dict[Lane, int] = field(default_factory=dict)
    position: int = 0

    def commit(self, edits: list[tuple[str, dict[str, Any], bool]]) -> None:
        """A stream unit: the rows that were touched, as they are afterwards."""
        self.position += 1
        touched = {}
        for name, row, deleted in edits:
            address = name, tuple(row[column] for column in KEYS[name])
            touched[address] = None if deleted else row
            self.rows.pop(address, None)
            if not deleted:
                self.rows[address] = row
        tables = [self._rows(name, touched) for name in dict.fromkeys(name for name, _ in touched)]
        lane = min(LANES[item.table] for item in tables)
        self.topics[lane].append(unit(self.position, *tables, lane=lane, waits_for=self._waits_for(lane)))
        self.sent[lane] = self.position

    def read_whole(self, name: str) -> None:
        """A chunk of a comparison."""
        there = {address: row for address, row in self.rows.items() if address[0] == name}
        waits_for = self._waits_for(Lane.LOW)
        chunk = unit(self.position, self._rows(name, there), lane=Lane.LOW, kind="chunk", waits_for=waits_for)
        self.topics[Lane.LOW].append(chunk)

    def _rows(self, name: str, touched: dict[Address, Any]) -> TableRows:
        columns = tuple(SHOP.tables[name].columns)
        mine = {key: row for (table, key), row in touched.items() if table == name}
        there = [tuple(row.get(column) for column in columns) for row in mine.values() if row is not None]
        return TableRows(name, columns, there, [key for key, row in mine.items() if row is None])

    def _waits_for(self, lane: Lane) -> int:
        return max((position for higher, position in self.sent.items() if higher < lane), default=0)


class Engine:
    """Delivers at least once, in order within a lane; looks at each batch that nothing changed without a
    notification."""

    def __init__(self, source: Source) -> None:
        self.source, self.house = source, House()
        self._next = dict.fromkeys(Lane, 0)

    def deliver(self, lane: Lane, count: int, again: int = 0) -> None:
        start = max(0, self._next[lane] - again)
        batch = self.source.topics[lane][start : self._next[lane] + count]
        before = self.stored()
        outcomes = self.house.offer(*batch)
        done = next((at for at, outcome in enumerate(outcomes) if not isinstance(outcome, Done)), len(batch))
        self._next[lane] = max(self._next[lane], start + done)
        self._look_at_notices(before, self.house.all_changes())

    def drain(self) -> None:
        while any(self._next[lane] < len(topic) for lane, topic in self.source.topics.items()):
            for lane in reversed(Lane):
                self.deliver(lane, 2)

    def stored(self) -> dict[Address, dict[str, Any] | None]:
        return {(name, key): self.house.row(name, *key) for name in KEYS for key in _ADDRESSES[name]}

    def _look_at_notices(self, before: dict[Address, Any], notified: dict[Lane, list[RowChange]]) -> None:
        told: dict[tuple[str, bytes], set[str]] = {}
        for changes in notified.values():
            for change in changes:
                names = set(change.columns) or set(SHOP.tables[change.table].columns)
                told.setdefault((change.table, change.key), set()).update(names)
        for (name, key), now in self.stored().items():
            then = before[name, key]
            changed = {
                column for column in SHOP.tables[name].columns if (then or {}).get(column) != (now or {}).get(column)
            }
            assert changed <= told.get((name, self.house.key(*key)), set())


def implied_entries(rows: dict[Address, dict[str, Any]], house: House, link: Reference | Collection) -> set[Any]:
    child = link.table if isinstance(link, Reference) else link.child
    found = set()
    for (name, key), row in rows.items():
        if name == child and None not in (parent := [row.get(column) for column in link.columns]):
            order = b""
            if isinstance(link, Collection):
                at = row[link.order_by]
                order = b"\x01" if at is None else b"\x04" + (at + 2**63).to_bytes(8, "big")
            found.add((index_entry(house.key(*parent), house.key(*key), order), house.key(*key)))
    return found


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(_STEP, st.lists(_DELIVERY, max_size=2)), max_size=12))
def test_after_any_delivery_the_repo_holds_the_sources_rows(steps: list[tuple[Any, list[Any]]]) -> None:
    source = Source()
    engine = Engine(source)
    for step, deliveries in steps:
        if isinstance(step, str):
            source.read_whole(step)
        else:
            source.commit(step)
        for lane, count, again in deliveries:
            engine.deliver(lane, count, again)
    engine.drain()
    stored = {address: row for address, row in engine.stored().items() if row is not None}
    bad = {address for address, row in source.rows.items() if BAD in row.values()}
    columns = {name: SHOP.tables[name].columns for name in KEYS}
    wanted = {at: {name: row.get(name) for name in columns[at[0]]} for at, row in source.rows.items() if at not in bad}
    assert {address: row for address, row in stored.items() if address not in bad} == wanted
    assert {letter.key for letter in engine.house.letters.entries()} == {engine.house.key(*key) for _, key in bad}
    for table in SHOP.tables.values():
        for reference in table.references.values():
            entries = engine.house.index(f"ref:{table.name}.{reference.name}")
            assert set(entries.items()) == implied_entries(stored, engine.house, reference)
        for collection in table.collections.values():
            entries = engine.house.index(f"col:{table.name}.{collection.name}")
            assert set(entries.items()) == implied_entries(stored, engine.house, collection)
