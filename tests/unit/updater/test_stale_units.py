"""Units that are dropped because they are too old: nothing is applied, everything is written down, and healed."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proto.codec import decode_key
from proto.lane import Lane
from proto.ports.processor import DONE, Drop, Retry
from repo.drops import UPDATER, DropOrder, DroppedRow, Pile, Piles, dropped_rows
from tests.support.shop import SHOP, House, parts_of, rows, unit
from tests.unit.updater.test_any_delivery import (
    _DELIVERY,
    _STEP,
    BAD,
    KEYS,
    Engine,
    Source,
    implied_entries,
)

AD = {"id": 1, "campaign_id": 7, "bid": 100, "title": "t", "image": "abc"}
OLD = DropOrder(stage=UPDATER, lane=0, before_ms=1e15, reason="older than 10 min")
DROPPED = Drop("older than 10 min")


def book(house: House) -> dict[tuple[str, Any], DroppedRow]:
    """(table, key) -> what is written down."""
    with house.repo.snapshot() as snapshot:
        found, _ = dropped_rows(snapshot, UPDATER)
    return {(row.table, decode_key(row.key)[1:]): row for row in found}


def pile(house: House) -> Pile:
    (found,) = Piles(house.repo).now()
    return found


def heal(house: House, position: int, *tables: Any) -> None:
    """What Gateway.compare brings."""
    house.send(unit(position, *tables, lane=Lane.LOW, kind="chunk"))


def test_rows_keep_their_values_under_the_new_version_and_nobody_is_told(house: House) -> None:
    house.send(unit(1, rows("ads", AD, {**AD, "id": 2})))
    house.all_changes()
    newer = rows("ads", {**AD, "bid": 101}, {**AD, "id": 3}, deleted=[(2,)])
    assert house.offer(unit(5, newer), drop=OLD) == [DROPPED]
    assert [house.row("ads", number) is not None for number in (1, 2, 3)] == [True, True, False]
    record = house.record("ads", "high", 1)
    assert record is not None and (record.source, record.parked) == ((1, 5), "dropped as stale: older than 10 min")
    assert house.all_changes() == {}
    assert {key: (row.upto, row.raw, row.healed_ms) for key, row in book(house).items()} == {
        ("ads", (number,)): (5, (number,), 0.0) for number in (1, 2, 3)
    }
    assert (pile(house).open, pile(house).dropped, pile(house).source) == (3, 3, "shop")
    assert house.state().applied[Lane.HIGH] == 5
    assert house.letters.count() == 0


def test_reading_them_again_heals_them_and_tells_everybody(house: House) -> None:
    house.send(unit(1, rows("ads", AD, {**AD, "id": 2})))
    house.offer(unit(5, rows("ads", {**AD, "bid": 101}, {**AD, "id": 3}, deleted=[(2,)])), drop=OLD)
    house.all_changes()
    heal(house, 5, rows("ads", {**AD, "bid": 102}, {**AD, "id": 3}, deleted=[(2,)]))
    row = house.row("ads", 1)
    assert row is not None and row["bid"] == 102
    assert [house.row("ads", number) is not None for number in (1, 2, 3)] == [True, False, True]
    assert {change.key for change in house.all_changes()[Lane.LOW]} == {house.key(number) for number in (1, 2, 3)}
    assert all(row.healed_ms for row in book(house).values())
    assert (pile(house).open, pile(house).healed, pile(house).at) == (0, 3, 0)


def test_nothing_older_wins_over_a_dropped_row_and_a_newer_edit_heals_it(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.offer(unit(5, rows("ads", {**AD, "bid": 105})), drop=OLD)
    house.offer(unit(3, rows("ads", {**AD, "bid": 103}), lane=Lane.MEDIUM))
    row = house.row("ads", 1)
    assert row is not None and row["bid"] == 100
    house.send(unit(6, rows("ads", {**AD, "bid": 106})))
    row = house.row("ads", 1)
    assert row is not None and row["bid"] == 106
    assert pile(house).open == 0


def test_what_changes_nothing_is_not_dropped(house: House) -> None:
    house.send(unit(5, rows("ads", AD)))
    assert house.offer(unit(6, rows("ads", AD, deleted=[(9,)])), drop=OLD) == [DROPPED]
    assert house.offer(unit(4, rows("ads", {**AD, "bid": 1})), drop=OLD) == [DROPPED]
    assert book(house) == {}
    house.send(unit(5, rows("ads", {**AD, "bid": 7}), lane=Lane.LOW))
    row = house.row("ads", 1)
    assert row is not None and row["bid"] == 100, "the newer version was forgotten"


def test_a_row_dropped_again_is_written_down_once(house: House) -> None:
    for position in (5, 6):
        house.offer(unit(position, rows("ads", {**AD, "bid": position})), drop=OLD)
    (row,) = book(house).values()
    assert (row.upto, row.times, row.first_ms > 0) == (6, 2, True)
    assert (pile(house).open, pile(house).dropped) == (1, 1)


def test_bootstraps_comparisons_and_news_about_tables_are_never_dropped(house: House) -> None:
    low: dict[str, Any] = {"lane": Lane.LOW}
    kept = [
        unit(1, rows("ads", AD), kind="chunk", first=True, **low),
        unit(2, rows("notes", {"id": "x", "text": "t"}), kind="chunk", span=(b"", b"\xff"), **low),
        unit(3, kind="done", names=("ads",), first=True, **low),
    ]
    assert house.offer(*kept, drop=OLD) == [DONE] * 3
    assert house.row("ads", 1) is not None and house.row("notes", "x") is not None
    assert house.state().bootstrapped == ("ads",)


def test_what_is_fresh_is_applied_and_what_must_wait_waits(house: House) -> None:
    order = DropOrder(stage=UPDATER, lane=0, before_ms=100.0, reason="older than 10 min")
    fresh, stale = unit(2, rows("ads", AD), capture_ms=100.0), unit(3, rows("ads", {**AD, "id": 2}), capture_ms=99.0)
    assert house.offer(fresh, stale, drop=order) == [DONE, Drop("older than 10 min")]
    assert (house.row("ads", 1) is None, house.row("ads", 2) is None) == (False, True)
    (waits,) = house.offer(unit(9, rows("notes", {"id": "x"}), lane=Lane.LOW, waits_for=8), drop=OLD)
    assert isinstance(waits, Retry)


def test_a_cut_unit_is_dropped_whole_or_not_at_all(house: House) -> None:
    first, last = parts_of(unit(5, rows("ads", AD), rows("campaigns", {"id": 7, "budget": "1"})))
    assert house.offer(first, drop=OLD) == [DONE]
    assert house.offer(last, drop=OLD) == [DROPPED]
    assert set(book(house)) == {("ads", (1,)), ("campaigns", (7,))}
    first, last = parts_of(unit(6, rows("ads", AD), rows("campaigns", {"id": 7, "budget": "1"})))
    assert house.offer(first, drop=OLD) == [DONE]
    house.send(last)
    assert house.row("ads", 1) is not None and house.row("campaigns", 7) is not None
    assert pile(house).open == 0


def test_bad_rows_have_their_dead_letters_whether_dropped_before_or_not(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.offer(unit(2, rows("ads", {**AD, "bid": 5})), drop=OLD)
    house.all_changes()
    heal(house, 3, rows("ads", {**AD, "bid": "a lot"}))
    assert [letter.subject for letter in house.letters.entries()] == ["ads/1"]
    assert pile(house).open == 0
    assert len(house.all_changes()[Lane.LOW]) == 1, "documents must learn that the row is parked"
    house.offer(unit(4, rows("ads", {**AD, "bid": 6})), drop=OLD)
    record = house.record("ads", "high", 1)
    assert record is not None and "a lot" in record.parked
    assert (house.letters.count(), pile(house).open) == (1, 1)
    heal(house, 4, rows("ads", {**AD, "bid": 6}))
    assert (house.letters.count(), pile(house).open) == (0, 0)


class DroppingEngine(Engine):
    """Drops some of what it delivers, and heals from the source."""

    def drop(self, lane: Lane, count: int) -> None:
        batch = self.source.topics[lane][self._next[lane] : self._next[lane] + count]
        before = self.stored()
        outcomes = self.house.offer(*batch, drop=OLD)
        self._next[lane] += next((at for at, one in enumerate(outcomes) if isinstance(one, Retry)), len(batch))
        self._look_at_notices(before, self.house.all_changes())

    def heal(self) -> None:
        for row in book(self.house).values():
            if not row.healed_ms:
                self.source.read_keys(row.table, row.raw)
        self.drain()


class ReadableSource(Source):
    """A source of which single rows can be read again."""

    def read_keys(self, name: str, key: tuple[Any, ...]) -> None:
        touched: dict[Any, Any] = {(name, key): self.rows.get((name, key))}
        chunk = unit(self.position, self._rows(name, touched), lane=Lane.LOW, kind="chunk")
        chunk.waits_for = self._waits_for(Lane.LOW)
        self.topics[Lane.LOW].append(chunk)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(_STEP, st.lists(st.tuples(_DELIVERY, st.booleans()), max_size=2)), max_size=12))
def test_after_any_drops_the_healed_repo_holds_the_sources_rows(steps: list[tuple[Any, list[Any]]]) -> None:
    source = ReadableSource()
    engine = DroppingEngine(source)
    for step, deliveries in steps:
        if isinstance(step, str):
            source.read_whole(step)
        else:
            source.commit(step)
        for (lane, count, again), dropping in deliveries:
            if dropping:
                engine.drop(lane, count)
            else:
                engine.deliver(lane, count, again)
    engine.drain()
    engine.heal()
    stored = {address: row for address, row in engine.stored().items() if row is not None}
    bad = {address for address, row in source.rows.items() if BAD in row.values()}
    columns = {name: SHOP.tables[name].columns for name in KEYS}
    wanted = {at: {name: row.get(name) for name in columns[at[0]]} for at, row in source.rows.items() if at not in bad}
    assert {address: row for address, row in stored.items() if address not in bad} == wanted
    assert {letter.key for letter in engine.house.letters.entries()} == {engine.house.key(*key) for _, key in bad}
    assert sum(pile.open for pile in Piles(engine.house.repo).now()) == 0
    for table in SHOP.tables.values():
        for reference in table.references.values():
            entries = engine.house.index(f"ref:{table.name}.{reference.name}")
            assert set(entries.items()) == implied_entries(stored, engine.house, reference)
