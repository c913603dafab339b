"""The judge is judged: right histories pass, and each anomaly, written down by hand, is found."""

from collections.abc import Callable
from typing import Any

import pytest

from repo.api import Cell, Outcome, OutcomeKind, Version
from repo.oracle.frames import BegunRange, Frame
from repo.oracle.port import CommitRequest, Decision, Fate, Resolution
from repo.oracle.state_machine import NANOSECONDS_PER_MS
from tests.simulation.checkers.history import Attempt, Begin, History, Listing, Mark, Read, Told
from tests.simulation.checkers.snapshot_isolation import violations
from tests.simulation.checkers.timestamps import Timestamps

X, Y = Cell("t", b"x", "g"), Cell("t", b"y", "g")
COMMITTED, CONFLICT = OutcomeKind.COMMITTED, OutcomeKind.CONFLICT


class Story:
    """A history, told in a few words."""

    def __init__(self) -> None:
        self.history = History()

    def wrote(
        self, snapshot: int, id: int, commit: int, *cells: Cell, told: Outcome | None = None, **rest: Any
    ) -> None:
        """A transaction that the commit table has; told: if it is not what happened."""
        attempt = Attempt("writer", snapshot, dict.fromkeys(cells, b"%d" % commit), ids={id}, **rest)
        attempt.told = told or Outcome(COMMITTED, commit)
        self.history.attempts.append(attempt)
        self.history.commits.setdefault(id, set()).add(commit)

    def refused(self, snapshot: int, id: int, kind: OutcomeKind, commit: int = 0, cell: Cell = X) -> None:
        told = Outcome(kind, commit, cell)
        self.history.attempts.append(Attempt("writer", snapshot, {cell: b"refused"}, ids={id}, told=told))

    def in_one_call(self) -> None:
        """The last two transactions were members of it."""
        self.history.calls.append(self.history.attempts[-2:])

    def read_deleted(self, cell: Cell, commit: int, watermark: int) -> None:
        """It was deleted at `commit`, and somebody has seen its tombstone."""
        attempt = Attempt("writer", 5, {cell: None}, ids={6}, told=Outcome(COMMITTED, commit))
        self.history.attempts.append(attempt)
        self.history.commits[6] = {commit}
        self.history.reads.append(Read("reader", commit + 1, cell, Version(commit, None), watermark=watermark))

    def read(self, snapshot: int, cell: Cell, commit: int, value: bytes | None = None, newest: bool = False) -> None:
        """Commit 0: nothing."""
        found = Version(commit, value or b"%d" % commit) if commit else None
        self.history.reads.append(Read("reader", snapshot, cell, found, newest))

    def listed(
        self, snapshot: int, *commits: tuple[Cell, int], after: bytes = b"", before: bytes | None = None, limit: int = 9
    ) -> None:
        found = tuple((cell.key, Version(commit, b"%d" % commit)) for cell, commit in commits)
        self.history.listings.append(Listing("reader", snapshot, "t", "g", after, before, b"", found, limit))


def told(tell: Callable[[Story], None]) -> list[str]:
    story = Story()
    story.wrote(0, 1, 2, X, Y)
    story.wrote(2, 3, 5, X)
    tell(story)
    return list(violations(story.history))


RIGHT: dict[str, Callable[[Story], None]] = {
    "reads of each snapshot": lambda story: [
        story.read(at, X, c) for at, c in ((1, 0), (2, 2), (4, 2), (5, 5), (9, 5))
    ],
    "what is there is committed again by the engine itself": lambda story: (
        story.wrote(5, 6, 8, X, internal=True),
        story.history.attempts[-1].writes.update({X: b"5"}),
    ),
    "write skew": lambda story: (story.wrote(5, 6, 8, X), story.wrote(5, 7, 9, Y)),
    "an honest conflict": lambda story: story.refused(4, 6, CONFLICT, 5),
    "nobody knows, and it is": lambda story: story.wrote(5, 6, 8, X, told=Outcome(OutcomeKind.UNKNOWN)),
    "nobody knows, and it is not": lambda story: story.refused(5, 6, OutcomeKind.UNKNOWN),
    "a list": lambda story: story.listed(4, (X, 2), (Y, 2)),
    "a part of a list": lambda story: story.listed(4, (Y, 2), after=b"x"),
    "of a swept id nothing is claimed": lambda story: story.history.told.append(Told("x", 1, Resolution(Fate.SWEPT))),
    "the newest of all": lambda story: story.read(2, X, 5, newest=True),
    "a mark that changes": lambda story: story.history.marks.extend(
        [Mark("x", "t", b"2", 2, 2), Mark("x", "t", b"2", 4, 4), Mark("x", "t", b"5", 5, 5)]
    ),
    "members of a call in their order": lambda story: (
        story.wrote(5, 6, 8, X),
        story.wrote(8, 9, 10, X),
        story.in_one_call(),
    ),
    "a tombstone that nobody could have collected": lambda story: story.read_deleted(X, 8, watermark=7),
    "read for conflict, unchanged": lambda story: story.wrote(5, 6, 8, Y, checks=frozenset({X})),
}

WRONG: dict[str, Callable[[Story], None]] = {
    "G1a: an aborted write is read": lambda story: (story.refused(2, 6, CONFLICT, 5), story.read(9, X, 6, b"refused")),
    "a committed write is not seen": lambda story: story.read(5, X, 2),
    "a committed write is seen too early": lambda story: story.read(4, X, 5),
    "another value is read than was written": lambda story: story.read(5, X, 5, b"other"),
    "it is seen, and then it is not": lambda story: (story.read(5, X, 5), story.read(5, X, 0)),
    "a read skew": lambda story: (story.wrote(5, 6, 8, X, Y), story.read(8, X, 8), story.read(8, Y, 2)),
    "a lost update": lambda story: (story.wrote(5, 6, 8, X), story.wrote(5, 7, 9, X)),
    "a change of what was read for conflict": lambda story: (
        story.wrote(5, 6, 8, X),
        story.wrote(5, 7, 9, Y, checks=frozenset({X})),
    ),
    "told committed, and is not": lambda story: story.wrote(5, 6, 8, X, told=Outcome(COMMITTED, 9)),
    "told a conflict, and is committed": lambda story: story.wrote(4, 6, 8, Y, told=Outcome(CONFLICT, 5, X)),
    "told too old, and is committed": lambda story: story.wrote(5, 6, 8, X, told=Outcome(OutcomeKind.TOO_OLD)),
    "committed at two times": lambda story: (story.wrote(5, 6, 8, X), story.history.commits[6].add(9)),
    "committed under two ids": lambda story: (
        story.wrote(5, 6, 8, X),
        story.history.commits.update({7: {9}}),
        story.history.attempts[-1].ids.add(7),
    ),
    "a conflict with what the snapshot sees": lambda story: story.refused(5, 6, CONFLICT, 5),
    "a conflict with nobody": lambda story: story.refused(5, 6, CONFLICT, 7),
    "a conflict in a cell of somebody else": lambda story: (
        story.refused(1, 6, CONFLICT, 2),
        setattr(story.history.attempts[-1], "told", Outcome(CONFLICT, 2, Y)),
    ),
    "two of one commit wrote one cell": lambda story: (story.wrote(5, 6, 8, X), story.wrote(5, 7, 8, X)),
    "one of a commit changed what the other read for conflict": lambda story: (
        story.wrote(5, 6, 8, X),
        story.wrote(5, 7, 8, Y, checks=frozenset({X})),
    ),
    "a commit below its own snapshot": lambda story: story.wrote(9, 10, 8, X),
    "the own commit is not read": lambda story: story.history.begins.append(Begin("client", 5, 4)),
    "the engine covers what was written meanwhile": lambda story: story.wrote(2, 4, 8, X, internal=True),
    "a list has a row twice": lambda story: story.listed(4, (X, 2), (X, 2), (Y, 2)),
    "a list is out of order": lambda story: story.listed(4, (Y, 2), (X, 2)),
    "a list lacks a row": lambda story: story.listed(4, (X, 2)),
    "a list has a row too many": lambda story: story.listed(1, (X, 2)),
    "called aborted, and is committed": lambda story: story.history.told.append(Told("x", 1, Resolution(Fate.ABORTED))),
    "called committed at another time": lambda story: story.history.told.append(
        Told("x", 1, Resolution(Fate.COMMITTED, 9))
    ),
    "a mark stays the same": lambda story: story.history.marks.extend(
        [Mark("x", "t", b"2", 2, 2), Mark("x", "t", b"2", 5, 5)]
    ),
    "members of a call overtake each other": lambda story: (
        story.wrote(8, 9, 10, X),
        story.wrote(5, 6, 8, X),
        story.in_one_call(),
    ),
    "a tombstone is read that may be gone": lambda story: story.read_deleted(X, 8, watermark=8),
    "a list is too long": lambda story: story.listed(4, (X, 2), (Y, 2), limit=1),
    "the newest is older than the snapshot": lambda story: story.read(5, X, 2, newest=True),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_history_passes(name: str) -> None:
    assert told(RIGHT[name]) == []


@pytest.mark.parametrize("name", WRONG)
def test_an_anomaly_is_found(name: str) -> None:
    assert told(WRONG[name]) != []


def test_a_tombstone_that_was_collected_is_as_good_as_one_that_is_there() -> None:
    def tell(story: Story) -> None:
        attempt = Attempt("writer", 5, {X: None}, ids={6}, told=Outcome(COMMITTED, 8))
        story.history.attempts.append(attempt)
        story.history.commits[6] = {8}
        story.read(9, X, 0)
        story.history.reads.append(Read("reader", 9, X, Version(8, None)))

    assert told(tell) == []


def asks(id: int, snapshot: int) -> Frame:
    return Frame(commits=[CommitRequest(id, snapshot, written=(1,))])


COMMITTED_AT_7, REFUSED = Decision(COMMITTED, 7 * NANOSECONDS_PER_MS), Decision(OutcomeKind.TOO_OLD)
TIMESTAMPS: dict[str, Callable[[Timestamps], None]] = {
    "the same id again": lambda judge: judge.begun(0, [BegunRange(100, 2, 0), BegunRange(150, 1, 0)], 0, 0),
    "an id that its snapshot is not below": lambda judge: judge.begun(0, [BegunRange(100, 1, 100)], 0, 0),
    "an id behind the time": lambda judge: judge.begun(0, [BegunRange(100, 1, 0)], 1, 0),
    "an id at the ceiling": lambda judge: judge.begun(0, [BegunRange(9 * NANOSECONDS_PER_MS, 1, 0)], 0, 0),
    "an id of the successor's": lambda judge: (judge.leads(500), judge.begun(0, [BegunRange(500, 1, 0)], 0, 0)),
    "a successor who begins too low": lambda judge: (judge.begun(0, [BegunRange(500, 1, 0)], 0, 0), judge.leads(500)),
    "a commit of an old id": lambda judge: judge.decided(0, asks(100, 50), [COMMITTED_AT_7], 7, 7),
    "a refusal for no reason": lambda judge: (
        judge.begun(0, [BegunRange(100, 1, 50)], 0, 0),
        judge.decided(0, asks(100, 50), [REFUSED], 0, 0),
    ),
}  # fmt: skip


def timestamps(tell: Callable[[Timestamps], None]) -> list[str]:
    failures: list[str] = []
    judge = Timestamps(failures, age_ms_max=5, monotonic_ms=lambda: 0.0)
    judge.leads(0)
    judge.durable(0, 9 * NANOSECONDS_PER_MS)
    tell(judge)
    return failures


@pytest.mark.parametrize("name", TIMESTAMPS)
def test_a_timestamp_that_must_not_be_given_out_is_noticed(name: str) -> None:
    assert timestamps(TIMESTAMPS[name]) != []


def test_timestamps_as_they_should_be_are_not() -> None:
    def tell(judge: Timestamps) -> None:
        judge.begun(0, [BegunRange(100, 3, 0), None, BegunRange(250, 0, 100)], 0, 0)
        judge.decided(0, asks(100, 50), [REFUSED], 6, 6)  # too old
        judge.decided(0, asks(150, 50), [COMMITTED_AT_7], 0, 7)
        judge.decided(0, asks(150, 50), [REFUSED], 0, 7)  # a second time
        judge.decided(0, asks(200, 50), [REFUSED], 0, 0)  # its snapshot may be forgotten
        judge.leads(9 * NANOSECONDS_PER_MS)

    assert timestamps(tell) == []
