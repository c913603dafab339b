"""C1, C3, C5: only what changed is written, a unit is one transaction, rows come, go and come back."""

from proto.events import Notification, RowChange
from proto.lane import Lane
from proto.ports.processor import DONE, DeadLetter
from repo.api import Outcome, OutcomeKind, Transaction
from tests.support.memory_repo import MemoryRepo
from tests.support.shop import ADS, CAMPAIGNS, House, flows_of, memory_engine, parts_of, rows, unit, with_columns

AD = {"id": 1, "campaign_id": 7, "bid": 100, "title": "Größe 🎈", "image": "abc", "facts": '{"a": [1, true]}'}


def test_a_new_row_is_stored_as_its_declared_types_and_notified_in_its_tables_lane(house: House) -> None:
    house.send(unit(1, rows("ads", AD), rows("campaigns", {"id": "7", "name": "c", "budget": 12.5})))
    assert house.row("ads", 1) == {**AD, "facts": {"a": [1, True]}}
    assert house.row("campaigns", 7) == {"id": 7, "name": "c", "budget": "12.5"}
    assert house.all_changes() == {
        Lane.HIGH: [
            RowChange("ads", house.key(1), (), {"campaign": (None, house.key(7))}),
            RowChange("campaigns", house.key(7)),
        ]
    }


def test_a_unit_and_all_units_of_a_batch_are_one_transaction(house: House) -> None:
    before = house.repo.transactions
    house.send(
        unit(1, rows("ads", AD), rows("campaigns", {"id": 7})),
        unit(2, rows("ads", {**AD, "bid": 2})),
        unit(3, rows("notes", {"id": "n"})),
    )
    assert house.repo.transactions == before + 1
    assert house.row("ads", 1) is not None


def test_sources_of_one_batch_are_transactions_of_their_own_in_one_commit(house: House) -> None:
    commits, before = house.repo.commits, house.repo.transactions
    house.send(unit(1, rows("ads", AD)), unit(9, rows("ads", {**AD, "bid": 5}), source="other"))
    assert (house.repo.commits, house.repo.transactions) == (commits + 1, before + 2)
    assert house.row("ads", 1, source="other") == {**AD, "bid": 5, "facts": {"a": [1, True]}}
    assert house.row("ads", 1) != house.row("ads", 1, source="other")


def test_the_rows_of_a_batch_are_read_once_for_each_table_and_group(house: House) -> None:
    house.send(unit(1, *[rows("ads", {**AD, "id": number}) for number in range(50)]))
    reads = house.repo.reads
    house.send(*[unit(2 + number, rows("ads", {**AD, "id": number, "bid": 1})) for number in range(50)])
    assert house.repo.reads == reads + 3  # the source's state, and two groups of ads


def test_only_groups_that_changed_are_written_and_only_columns_that_changed_are_named(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.all_changes()
    house.send(unit(2, rows("ads", {**AD, "image": "new"})))
    assert (house.versions("ads", "high", 1), house.versions("ads", "medium", 1)) == (1, 2)
    assert house.all_changes() == {Lane.MEDIUM: [RowChange("ads", house.key(1), ("image",))]}
    house.send(unit(3, rows("ads", {**AD, "image": "newer", "bid": 1, "title": ""})))
    assert house.all_changes() == {Lane.HIGH: [RowChange("ads", house.key(1), ("bid", "title", "image"))]}


def test_json_values_that_python_calls_equal_are_told_apart(house: House) -> None:
    house.send(unit(1, rows("ads", {**AD, "facts": '{"a": 1, "b": 2}'})))
    house.all_changes()
    house.send(unit(2, rows("ads", {**AD, "facts": '{"b": 2, "a": 1}'})))
    assert house.all_changes() == {}
    house.send(unit(3, rows("ads", {**AD, "facts": '{"a": true, "b": 2}'})))
    assert house.all_changes() == {Lane.MEDIUM: [RowChange("ads", house.key(1), ("facts",))]}


def test_a_later_unit_of_a_batch_sees_what_an_earlier_one_left(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.all_changes()
    house.send(unit(2, rows("ads", {**AD, "bid": 2})), unit(3, rows("ads", {**AD, "bid": 2, "title": "t"})))
    assert [change.columns for change in house.changes(Lane.HIGH)] == [("bid",), ("title",)]
    assert house.versions("ads", "high", 1) == 2


def test_a_delete_leaves_a_tombstone_and_a_re_insert_comes_back(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.all_changes()
    house.send(unit(2, rows("ads", deleted=[("1",)])))
    assert house.row("ads", 1) is None
    record = house.record("ads", "medium", 1)
    assert record is not None and (record.values, record.source) == (None, (1, 2))
    gone = RowChange("ads", house.key(1), (), {"campaign": (house.key(7), None)})
    assert house.all_changes() == {Lane.HIGH: [gone]}
    house.send(unit(3, rows("ads", AD)))
    assert house.row("ads", 1) is not None
    back = RowChange("ads", house.key(1), (), {"campaign": (None, house.key(7))})
    assert house.all_changes() == {Lane.HIGH: [back]}


def test_a_row_deleted_and_there_under_the_same_coerced_key_is_there(house: House) -> None:
    house.send(unit(1, rows("ads", AD, deleted=[("1",)])))
    assert house.row("ads", 1) is not None


def test_the_delete_of_a_parent_is_notified_and_its_childrens_entries_stay(house: House) -> None:
    house.send(unit(1, rows("ads", AD), rows("campaigns", {"id": 7})))
    house.all_changes()
    house.send(unit(2, rows("campaigns", deleted=[(7,)])))
    assert house.all_changes() == {Lane.HIGH: [RowChange("campaigns", house.key(7))]}
    assert list(house.index("ref:ads.campaign").values()) == [house.key(1)]


def test_the_first_bootstrap_notifies_nothing_until_it_is_done(house: House) -> None:
    house.send(unit(1, rows("ads", AD), lane=Lane.LOW, kind="chunk", first=True))
    assert house.all_changes() == {}
    assert house.row("ads", 1) is not None
    house.send(unit(1, lane=Lane.LOW, kind="done", names=("ads", "campaigns")))
    assert house.state().bootstrapped == ("ads", "campaigns")
    assert house.all_changes() == {Lane.LOW: [RowChange("_sources", house.key())]}


def test_what_a_later_chunk_mends_is_notified_in_the_chunks_lane(house: House) -> None:
    house.send(unit(1, rows("ads", AD)))
    house.all_changes()
    house.send(unit(2, rows("ads", {**AD, "bid": 3}), lane=Lane.LOW, kind="chunk"))
    assert house.all_changes() == {Lane.LOW: [RowChange("ads", house.key(1), ("bid",))]}


def test_tables_are_parked_and_unparked_in_the_sources_state(house: House) -> None:
    house.send(unit(1, kind="parked", names=("ads", "notes"), reason="column bid is gone"))
    assert house.state().parked == {"ads": "column bid is gone", "notes": "column bid is gone"}
    house.send(unit(2, kind="unparked", names=("ads",)))
    assert house.state().parked == {"notes": "column bid is gone"}


def test_notifications_carry_the_times_of_their_unit_in_messages_of_bounded_size(house: House) -> None:
    many = [{"id": number} for number in range(600)]
    house.send(unit(1, rows("campaigns", *many), commit_ms=10.5, capture_ms=11.5))
    house.send(unit(2, rows("campaigns", {"id": 1, "name": "n"}), commit_ms=20.5, capture_ms=21.5))
    notices = house.notices(Lane.HIGH)
    assert [len(notice.changes) for notice in notices] == [256, 256, 88, 1]
    assert notices[0] == Notification(0, notices[0].changes, 10.5, 11.5, 5000.0)
    assert notices[3] == Notification(0, notices[3].changes, 20.5, 21.5, 5000.0)


def test_rows_are_spread_over_partitions_and_a_row_stays_in_its_own() -> None:
    house = House(partitions=4)
    for position in (1, 2):
        changed = [{"id": number, "name": f"{position}"} for number in range(40)]
        house.send(unit(position, rows("campaigns", *changed)))
    by_partition = [
        [change.key for notice in house.notices(Lane.HIGH, number) for change in notice.changes] for number in range(4)
    ]
    assert all(by_partition)
    assert sorted(key for keys in by_partition for key in set(keys)) == sorted(
        house.key(number) for number in range(40)
    )


def test_a_cut_unit_is_applied_with_its_last_part_and_at_once(house: House) -> None:
    first, second, last = parts_of(unit(1, rows("campaigns", {"id": 7}), rows("ads", AD), rows("notes", {"id": "n"})))
    house.send(first)
    house.send(second)
    assert (house.row("campaigns", 7), house.row("ads", 1)) == (None, None)
    assert house.all_changes() == {}
    before = house.repo.transactions
    house.send(last)
    assert house.repo.transactions == before + 1
    assert house.row("campaigns", 7) and house.row("ads", 1) and house.row("notes", "n")
    assert house.state().applied == {0: 1}


def test_parts_that_wait_outlive_the_process_and_leave_nothing_behind(house: House) -> None:
    first, last = parts_of(unit(1, rows("campaigns", {"id": 7}), rows("ads", AD)))
    house.send(first)
    second_process = House(engine=house.engine)
    second_process.send(last)
    assert second_process.row("campaigns", 7) is not None
    with house.repo.snapshot() as snapshot:
        assert snapshot.scan("_parts", "state") == []


def test_parts_of_one_batch_are_not_stored(house: House) -> None:
    house.send(*parts_of(unit(1, rows("campaigns", {"id": 7}), rows("ads", AD))))
    assert house.row("ads", 1) is not None
    with house.repo.snapshot() as snapshot:
        assert snapshot.scan("_parts", "state") == []
    assert "_parts" not in house.repo.staged


def test_a_last_part_without_the_others_is_a_dead_letter(house: House) -> None:
    _, last = parts_of(unit(1, rows("campaigns", {"id": 7}), rows("ads", AD)))
    (outcome,) = house.offer(last)
    assert isinstance(outcome, DeadLetter) and "part 1 of 2" in outcome.reason
    assert house.row("ads", 1) is None


def test_a_message_that_is_no_unit_is_a_dead_letter_and_the_others_are_applied(house: House) -> None:
    outcomes = house.offer(b"\xc1", unit(1, rows("ads", AD)))
    assert isinstance(outcomes[0], DeadLetter) and "updates.high/3@0" in outcomes[0].reason
    assert outcomes[1] == DONE
    assert house.row("ads", 1) is not None


def test_rows_without_their_key_column_are_a_dead_letter(house: House) -> None:
    broken = rows("ads", AD)
    broken.columns = ("no", *broken.columns[1:])
    (outcome,) = house.offer(unit(1, broken))
    assert isinstance(outcome, DeadLetter) and "'id'" in outcome.reason


def test_a_table_that_is_no_longer_in_the_flows_file_is_passed_over() -> None:
    house = House(flows_of(CAMPAIGNS))
    house.send(unit(1, rows("notes", {"id": "x"}), rows("campaigns", {"id": 7})))
    assert house.row("campaigns", 7) is not None


def test_columns_that_a_unit_does_not_bring_keep_their_values() -> None:
    old_house = House(flows_of(CAMPAIGNS))
    old_house.send(unit(1, rows("campaigns", {"id": 7, "name": "a"})))
    wider = flows_of(with_columns(CAMPAIGNS, goal="str", count="int"))
    house = House(wider, old_house.engine)
    assert house.row("campaigns", 7) == {"id": 7, "name": "a", "budget": None, "goal": None, "count": None}
    house.send(unit(2, rows("campaigns", {"id": 7, "name": "a", "goal": "g", "count": 3}, flows=wider), kind="chunk"))
    assert house.changes(Lane.HIGH)[-1].columns == ("goal", "count")
    house.send(unit(3, rows("campaigns", {"id": 7, "name": "b"}), kind="stream"))
    assert house.row("campaigns", 7) == {"id": 7, "name": "b", "budget": None, "goal": "g", "count": 3}
    assert house.changes(Lane.HIGH)[-1].columns == ("name",)


class _Rival(MemoryRepo):
    """Somebody else commits the same cell just before our next commit."""

    rival: Transaction | None = None

    def commit(self, transactions: list[Transaction]) -> list[Outcome]:  # type: ignore[override]
        if self.rival is not None:
            rival, self.rival = self.rival, None
            assert super().commit([rival])[0].kind is OutcomeKind.COMMITTED
        return super().commit(transactions)


def test_a_conflict_is_run_again_over_what_the_other_updater_left() -> None:
    repo = _Rival()
    house, other = House(engine=memory_engine(repo)), House()
    house.send(unit(1, rows("ads", AD)))
    other.send(unit(1, rows("ads", AD)), unit(5, rows("ads", {**AD, "bid": 5})))
    rival = Transaction(repo.last_timestamp())
    record = other.repo.snapshot().read("ads", "high", [other.key(1)])[0]
    state = other.repo.snapshot().read("_sources", "applied", [other.key()])[0]
    assert record and record.value and state and state.value
    rival.write("ads", other.key(1), "high", record.value)
    rival.write("_sources", other.key(), "applied", state.value)
    repo.rival = rival
    house.send(unit(4, rows("ads", {**AD, "bid": 4})))
    row = house.row("ads", 1)
    assert row is not None and row["bid"] == 5
    assert house.state().applied == {0: 5}


def test_keys_of_several_columns_and_of_other_types(house: House) -> None:
    house.send(unit(1, rows("ad_keywords", {"ad_id": 1, "word": "a\0b"}, {"ad_id": 1, "word": ""}), lane=Lane.MEDIUM))
    assert house.row("ad_keywords", 1, "a\0b") and house.row("ad_keywords", 1, "")
    house.send(unit(2, rows("ad_keywords", deleted=[(1, "")]), lane=Lane.MEDIUM))
    assert house.row("ad_keywords", 1, "a\0b") and not house.row("ad_keywords", 1, "")


def test_ads_have_two_groups() -> None:
    """The tests above rely on it."""
    assert list(ADS.groups()) == ["high", "medium"]
