"""Dead letters in LMDB: kept by (stage, subject), durable with the group."""

from pathlib import Path

import pytest

from ops.brokers.lmdb_dead_letters import LmdbDeadLetters
from ops.engine.clock import SystemClock
from proto.ports.dead_letters import DeadLetterEntry
from repo.lmdb.environment import LmdbEnvironment


@pytest.fixture
def environment(tmp_path: Path) -> LmdbEnvironment:
    return LmdbEnvironment(tmp_path, SystemClock(), nonce=b"test")


def entry(subject: str, reason: str = "bad", first_ms: float = 1.0) -> DeadLetterEntry:
    return DeadLetterEntry(stage="apply", subject=subject, reason=reason, first_ms=first_ms, message=b"m", lane=2)


def test_the_newest_failure_replaces_the_older_one_and_keeps_its_first_time(environment: LmdbEnvironment) -> None:
    letters = LmdbDeadLetters(environment)
    letters.put(entry("ads/1", "first", first_ms=1.0))
    letters.put(entry("ads/1", "second", first_ms=9.0))
    found = letters.get("apply", "ads/1")
    assert found is not None
    assert (found.reason, found.first_ms, found.message, found.lane) == ("second", 1.0, b"m", 2)
    assert letters.count() == 1
    assert letters.get("build", "ads/1") is None


def test_clear_says_whether_there_was_one_and_costs_no_commit_when_there_is_none(environment: LmdbEnvironment) -> None:
    letters = LmdbDeadLetters(environment)
    before = environment.commits
    assert not letters.clear("apply", "ads/1")
    letters.put(entry("ads/2"))
    assert not letters.clear("apply", "ads/1")
    assert environment.commits == before + 1
    assert letters.clear("apply", "ads/2")
    assert letters.count() == 0


def test_entries_are_listed_page_by_page_while_they_are_cleared(environment: LmdbEnvironment) -> None:
    letters = LmdbDeadLetters(environment)
    with environment.group():
        for number in range(450):
            letters.put(entry(f"ads/{number:04}"))
    seen = []
    for found in letters.entries():
        seen.append(found.subject)
        letters.clear("apply", found.subject)
    assert seen == [f"ads/{number:04}" for number in range(450)]
    assert list(letters.entries()) == []


def test_long_subjects_are_kept_apart(environment: LmdbEnvironment) -> None:
    letters = LmdbDeadLetters(environment)
    long = "ads/" + "ü" * 600
    letters.put(entry(long + "1", "one"))
    letters.put(entry(long + "2", "two"))
    assert [found.reason for found in letters.entries()] in (["one", "two"], ["two", "one"])
    found = letters.get("apply", long + "2")
    assert found is not None
    assert found.reason == "two"


def test_an_undone_group_leaves_no_dead_letter(environment: LmdbEnvironment) -> None:
    letters = LmdbDeadLetters(environment)
    with pytest.raises(ZeroDivisionError), environment.group():
        letters.put(entry("ads/1"))
        raise ZeroDivisionError
    assert letters.count() == 0
