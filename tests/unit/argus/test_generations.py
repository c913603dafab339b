"""Which flows generations may run, which takes over, and what each has changed."""

from collections.abc import Iterator

import pytest

from argus.generations import admit, check_admitted, history, load, mark_built, promote, propose
from proto.codec import encode_key
from proto.errors import SettingsError
from repo.api import Transaction
from repo.system import GENERATIONS, STATE, Generation, encode, system_specs
from tests.support.counting_repo import CountingRepo
from tests.support.memory_repo import MemoryRepo

HASHES = {"one": 111, "two": 222, "three": 333}


@pytest.fixture
def repo() -> Iterator[CountingRepo]:
    memory = MemoryRepo()
    memory.declare(system_specs())
    yield CountingRepo(memory)


def flows(name: str, *fields: str) -> Generation:
    """What a worker offers: a document with these fields, and a handler that is always the same."""
    items = {f"field {one}": one for one in fields}
    return Generation(0, HASHES[name], name, {"document ad": items, "handler pace": {"version": "1"}})


def numbers(repo: CountingRepo) -> tuple[int, int | None]:
    state = load(repo)
    assert state is not None
    return state.current.number, state.next.number if state.next else None


def test_the_first_is_number_one(repo: CountingRepo) -> None:
    admission = admit(repo, flows("one"), alone=False)
    assert (admission.number, admission.adopted, admission.first) == (1, True, True)
    assert admission.since == {"document ad": 1, "handler pace": 1}


def test_the_same_is_let_in_beside_others(repo: CountingRepo) -> None:
    admit(repo, flows("one"), alone=True)
    admission = admit(repo, flows("one"), alone=False)
    assert (admission.number, admission.adopted, admission.first) == (1, False, False)


def test_another_is_refused_while_somebody_runs(repo: CountingRepo) -> None:
    admit(repo, flows("one"), alone=True)
    with pytest.raises(SettingsError, match=r"flows apply.*stop the other processes first"):
        admit(repo, flows("two"), alone=False)
    assert numbers(repo) == (1, None)


def test_one_that_is_alone_takes_over_and_knows_what_it_has_changed(repo: CountingRepo) -> None:
    admit(repo, flows("one", "a"), alone=True)
    admission = admit(repo, flows("two", "a", "b"), alone=True)
    assert (admission.number, admission.adopted, admission.first) == (2, True, False)
    assert admission.since == {"document ad": 2, "handler pace": 1}
    assert admit(repo, flows("one", "a"), alone=True).number == 3, "and back: a person who tries things out"


def test_of_two_that_start_at_once_the_first_decides(repo: CountingRepo) -> None:
    repo.before_commit = lambda: admit(repo, flows("one"), alone=True)
    with pytest.raises(SettingsError):
        admit(repo, flows("two"), alone=False)
    repo.before_commit = lambda: admit(repo, flows("three"), alone=True)
    assert admit(repo, flows("two"), alone=True).number == 3


def test_a_comment_makes_no_generation_but_the_newest_text_is_kept(repo: CountingRepo) -> None:
    admit(repo, flows("one"), alone=True)
    commented = flows("one")
    commented.text = "# a remark"
    assert admit(repo, commented, alone=False).number == 1
    state = load(repo)
    assert state is not None and state.current.text == "# a remark"


def test_what_was_built_is_remembered_across_generations(repo: CountingRepo) -> None:
    admit(repo, flows("one"), alone=True)
    mark_built(repo, "document ad", 5)
    admit(repo, flows("two"), alone=True)
    state = load(repo)
    assert state is not None and state.built == {"document ad": 5}


def test_applied_flows_wait_beside_the_current_ones_and_take_over_once(repo: CountingRepo) -> None:
    admit(repo, flows("one", "a"), alone=True)
    propose(repo, flows("two", "b"))
    assert numbers(repo) == (1, 2)
    assert propose(repo, flows("two", "b")).next is not None and numbers(repo) == (1, 2), "again: nothing"
    assert [admit(repo, flows(name), alone=False).number for name in ("one", "two")] == [1, 2], "both may run"
    with pytest.raises(SettingsError, match="neither those of generation 1, which is current, nor of 2"):
        admit(repo, flows("three"), alone=True)
    promote(repo, 2)
    promote(repo, 2)
    assert numbers(repo) == (2, None)
    with pytest.raises(SettingsError, match=r"generation 1, which generation 2 has replaced.*flows apply"):
        admit(repo, flows("one"), alone=True)
    with pytest.raises(SettingsError, match=r"generation 1 was replaced by generation 2"):
        check_admitted(load(repo), 1)


def test_flows_that_wait_are_withdrawn_or_replaced_and_no_number_comes_twice(repo: CountingRepo) -> None:
    admit(repo, flows("one", "a"), alone=True)
    propose(repo, flows("two", "b"))
    assert propose(repo, flows("one", "a")).next is None, "what is current was applied: the other is withdrawn"
    propose(repo, flows("three", "a"))
    assert numbers(repo) == (1, 3)
    for number in (2, 4):
        with pytest.raises(SettingsError):
            check_admitted(load(repo), number)
    with pytest.raises(SettingsError):
        promote(repo, 2)
    state = load(repo)
    assert state is not None and state.next is not None and state.next.since["document ad"] == 1


def test_every_generation_is_remembered(repo: CountingRepo) -> None:
    admit(repo, flows("one", "a"), alone=True)
    propose(repo, flows("two", "b"))
    propose(repo, flows("three", "c"))
    promote(repo, 3)
    admit(repo, flows("three", "c"), alone=True)
    assert [(number, one.text, one.applied) for number, one in history(repo).items()] == [
        (3, "three", True),
        (2, "two", True),
        (1, "one", False),
    ]


def test_going_back_counts_as_a_change(repo: CountingRepo) -> None:
    admit(repo, flows("one", "a"), alone=True)
    for number, (name, field) in enumerate([("two", "b"), ("one", "a")], start=2):
        propose(repo, flows(name, field))
        promote(repo, number)
    assert admit(repo, flows("one", "a"), alone=True).since == {"document ad": 3, "handler pace": 1}


def test_nothing_can_be_applied_before_the_first_run(repo: CountingRepo) -> None:
    with pytest.raises(SettingsError, match="adsindex run"):
        propose(repo, flows("one"))


def test_what_an_older_program_wrote_is_told(repo: CountingRepo) -> None:
    transaction = Transaction(repo.last_timestamp())
    transaction.write(GENERATIONS, encode_key(("admitted",)), STATE, encode([111, 0, 1, {}, {}, ""]))
    repo.commit([transaction])
    with pytest.raises(SettingsError, match=r"older version.*adsindex rebuild"):
        load(repo)
