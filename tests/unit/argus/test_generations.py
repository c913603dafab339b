"""Which flows generations may run."""

from collections.abc import Iterator

import pytest

from argus.generations import admit, load, mark_built
from proto.errors import SettingsError
from repo.system import system_specs
from tests.support.counting_repo import CountingRepo
from tests.support.memory_repo import MemoryRepo


@pytest.fixture
def repo() -> Iterator[CountingRepo]:
    memory = MemoryRepo()
    memory.declare(system_specs())
    yield CountingRepo(memory)


def test_the_first_is_number_one(repo: CountingRepo) -> None:
    admission = admit(repo, 111, "flows", alone=False)
    assert (admission.number, admission.adopted, admission.first) == (1, True, True)


def test_the_current_one_may_come_again_beside_others(repo: CountingRepo) -> None:
    admit(repo, 111, "flows", alone=True)
    admission = admit(repo, 111, "flows", alone=False)
    assert (admission.number, admission.adopted, admission.first) == (1, False, False)


def test_an_unknown_one_is_refused_while_others_run(repo: CountingRepo) -> None:
    admit(repo, 111, "flows", alone=True)
    with pytest.raises(SettingsError, match="stop the other processes first"):
        admit(repo, 222, "other flows", alone=False)


def test_an_unknown_one_that_is_alone_becomes_the_next(repo: CountingRepo) -> None:
    admit(repo, 111, "flows", alone=True)
    admission = admit(repo, 222, "other flows", alone=True)
    assert (admission.number, admission.adopted, admission.first) == (2, True, False)
    state = load(repo)
    assert state is not None and (state.current, state.text) == (222, "other flows")


def test_flows_that_come_back_get_a_new_number(repo: CountingRepo) -> None:
    """What was built with them may since have been built with others."""
    assert [admit(repo, generation, "", alone=True).number for generation in (111, 222, 111)] == [1, 2, 3]


def test_of_two_that_start_at_once_the_first_decides(repo: CountingRepo) -> None:
    repo.before_commit = lambda: admit(repo, 111, "flows", alone=True)
    with pytest.raises(SettingsError):
        admit(repo, 222, "other flows", alone=False)
    repo.before_commit = lambda: admit(repo, 333, "third", alone=True)
    assert admit(repo, 222, "other flows", alone=True).number == 3


def test_what_was_rebuilt_is_remembered_and_nothing_is_lost_between_processes(repo: CountingRepo) -> None:
    admit(repo, 111, "flows", alone=True)
    repo.before_commit = lambda: mark_built(repo, "ad", 5)
    mark_built(repo, "handler pace", 6)
    state = load(repo)
    assert state is not None and state.built == {"ad": 5, "handler pace": 6}
    commits = repo.commits
    mark_built(repo, "ad", 5)
    assert repo.commits == commits
