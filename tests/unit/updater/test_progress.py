"""What units leave in the state of their source: two cells, of which an edit writes the small one."""

from proto.lane import Lane
from proto.ports.processor import DONE, Retry
from repo.api import Transaction
from repo.system import APPLIED, SOURCES, STATE, SourceState, encode, source_key
from tests.support.shop import House, rows, unit

KEY = source_key("shop")
READ = (("id", "int", 0), ("bid", "int", 0))


def written_at(house: House, group: str) -> int:
    with house.repo.snapshot() as snapshot:
        (version,) = snapshot.read(SOURCES, group, [KEY])
    return 0 if version is None else version.commit_timestamp


def test_an_edit_leaves_what_is_known_of_tables_alone(house: House) -> None:
    house.send(unit(1, lane=Lane.LOW, kind="done", names=("ads",), columns=(READ,)))
    before = written_at(house, STATE), written_at(house, APPLIED)
    house.send(unit(2, rows("ads", {"id": 1, "bid": 7})))
    assert written_at(house, STATE) == before[0] and written_at(house, APPLIED) > before[1]
    assert house.state() == SourceState(1, {Lane.LOW: 1, Lane.HIGH: 2}, ("ads",), {}, {"ads": READ})


def test_a_state_that_an_older_program_left_in_one_cell_goes_on(house: House) -> None:
    older = Transaction(house.repo.last_timestamp())
    older.write(SOURCES, KEY, STATE, encode(SourceState(2, {Lane.HIGH: 7}, ("ads",), {}, {"ads": READ})))
    assert house.repo.commit([older])[0].committed
    waits, goes = house.offer(
        unit(9, lane=Lane.LOW, kind="done", names=("campaigns",), incarnation=2, waits_for=8),
        unit(8, rows("ads", {"id": 1}), incarnation=2),
    )
    assert isinstance(waits, Retry) and goes is DONE
    assert house.offer(unit(9, lane=Lane.LOW, kind="done", names=("campaigns",), incarnation=2, waits_for=8)) == [DONE]
    state = house.state()
    assert state.applied == {Lane.HIGH: 8, Lane.LOW: 9} and state.bootstrapped == ("ads", "campaigns")
    assert (state.incarnation, state.columns) == (2, {"ads": READ})


def test_another_incarnation_knows_nothing_of_the_tables_of_the_one_before(house: House) -> None:
    house.send(unit(5, lane=Lane.LOW, kind="done", names=("ads",), columns=(READ,)))
    house.send(unit(1, rows("ads", {"id": 1}), incarnation=2))
    assert house.state() == SourceState(2, {Lane.HIGH: 1})
