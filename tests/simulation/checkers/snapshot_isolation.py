"""Snapshot isolation, judged with the oracle's own timestamps.

Because every commit timestamp is known, nothing has to be searched for: each read is held against the one answer
that it must have had, now and for ever.
"""

from bisect import bisect_right
from collections.abc import Iterator

from repo.api import Cell, OutcomeKind, Version
from repo.oracle.port import Fate
from tests.simulation.checkers.history import Attempt, History, Listing, Read

REFUSED = (OutcomeKind.CONFLICT, OutcomeKind.TOO_OLD, OutcomeKind.FENCED)


def violations(history: History) -> Iterator[str]:
    """Each a sentence; none: the history is right."""
    truth = Truth(history)
    yield from decisions(history)
    yield from overlaps(history, truth)
    yield from covers(truth)
    yield from orders(history)
    yield from marks(history, truth)
    yield from begins(history)
    yield from resolutions(history)
    for read in history.reads:
        yield from _wrong_read(read, truth)
    for listing in history.listings:
        yield from _wrong_listing(listing, truth)


class Truth:
    """What was committed: of each cell its versions, oldest first."""

    def __init__(self, history: History) -> None:
        self.versions: dict[Cell, list[Version]] = {}
        self.writers: dict[Cell, list[tuple[int, Attempt]]] = {}
        self.committed: list[tuple[int, Attempt]] = []
        for attempt in history.attempts:
            for commit in history.commit_timestamps(attempt)[:1]:
                self.committed.append((commit, attempt))
        self.committed.sort(key=lambda one: one[0])
        for commit, attempt in self.committed:
            for cell, value in attempt.puts().items():
                self.versions.setdefault(cell, []).append(Version(commit, value))
            for cell in attempt.writes:
                self.writers.setdefault(cell, []).append((commit, attempt))

    def at(self, cell: Cell, snapshot: int) -> Version | None:
        """The newest version at or below a snapshot; a tombstone counts as nothing."""
        known = self.versions.get(cell, [])
        place = bisect_right(known, snapshot, key=lambda version: version.commit_timestamp)
        return live(known[place - 1]) if place else None


def live(version: Version | None) -> Version | None:
    """A tombstone may have been collected: readers must not tell it from nothing."""
    return version if version is not None and version.value is not None else None


def decisions(history: History) -> Iterator[str]:
    """Who was told "committed" is; who was told anything else is not; nobody is twice."""
    for attempt in history.attempts:
        commits = history.commit_timestamps(attempt)
        if len(commits) > 1:
            yield f"{attempt} is committed at {commits}"
        if attempt.told is None or attempt.told.kind is OutcomeKind.UNKNOWN:
            continue
        if attempt.told.committed and commits != [attempt.told.commit_timestamp]:
            yield f"{attempt} is not committed; the commit table has {commits}"
        if attempt.told.kind in REFUSED and commits:
            yield f"{attempt} is committed at {commits}"


def overlaps(history: History, truth: Truth) -> Iterator[str]:
    """Of two transactions that wrote the same cell one ended before the other's snapshot; what was read for conflict
    did not change; and who was told of a conflict had one."""
    for commit, attempt in truth.committed:
        if attempt.internal:
            continue
        if commit <= attempt.snapshot:
            yield f"{attempt} committed at {commit}, not after its snapshot"
        for cell in (*attempt.writes, *attempt.checks):
            for other, writer in truth.writers.get(cell, ()):
                if attempt.snapshot < other <= commit and writer is not attempt:
                    yield f"{attempt} at {commit}, and {writer} at {other}, overlap in {named(cell)}"
    for attempt in history.attempts:
        told = attempt.told
        if told is None or told.kind is not OutcomeKind.CONFLICT:
            continue
        if told.commit_timestamp <= attempt.snapshot:
            yield f"{attempt}: a conflict with what its snapshot sees"
        elif told.cell is None or told.cell not in (*attempt.writes, *attempt.checks):
            yield f"{attempt}: a conflict in a cell that it neither writes nor checks"
        elif all(commit != told.commit_timestamp for commit, _ in truth.writers.get(told.cell, ())):
            yield f"{attempt}: a conflict in {named(told.cell)} with a commit that never was"


def covers(truth: Truth) -> Iterator[str]:
    """What the engine commits by itself is what was there: nobody has written it meanwhile."""
    for commit, attempt in truth.committed:
        for cell, value in attempt.writes.items() if attempt.internal else ():
            before = truth.at(cell, commit - 1)
            if (None if before is None else before.value) != value:
                yield f"{attempt} covers {_told(before)} in {named(cell)} with {value!r}"


def orders(history: History) -> Iterator[str]:
    """Of two members of a call that put the same cell the later one is committed later."""
    for call in history.calls:
        committed = [(commits[0], attempt) for attempt in call if (commits := history.commit_timestamps(attempt))]
        for place, (commit, attempt) in enumerate(committed):
            for earlier, before in committed[:place]:
                if earlier >= commit and attempt.puts().keys() & before.puts().keys():
                    yield f"{attempt} at {commit} comes after {before} at {earlier} in its call"


def marks(history: History, truth: Truth) -> Iterator[str]:
    """As long as a table's mark is the same, nothing was committed there."""
    times: dict[str, list[int]] = {}
    for commit, attempt in truth.committed:
        for table in {cell.table for cell in attempt.puts()}:
            times.setdefault(table, []).append(commit)
    spans: dict[tuple[str, bytes], tuple[int, int]] = {}
    for one in history.marks:
        since, upto = spans.get((one.table, one.mark), (one.since, one.upto))
        spans[one.table, one.mark] = min(since, one.since), max(upto, one.upto)
    for (table, mark), (since, upto) in spans.items():
        for commit in times.get(table, ()):
            if since < commit <= upto:
                yield f"the mark {mark!r} of {table} holds from {since} to {upto}, and {commit} lies between"


def begins(history: History) -> Iterator[str]:
    """A client's snapshot is never below what it was told, by commits and by snapshots."""
    for begin in history.begins:
        if begin.snapshot < begin.known:
            yield f"{begin.actor} began at {begin.snapshot} and knew {begin.known}"


def resolutions(history: History) -> Iterator[str]:
    """What an oracle calls committed or aborted is so, whoever asks, and however late (F8)."""
    for told in history.told:
        commits, fate = history.commits.get(told.id, set()), told.resolution.fate
        if fate is Fate.COMMITTED and commits != {told.resolution.commit_timestamp}:
            yield f"{told.actor} was told that {told.id} is {told.resolution}, and the table has {commits}"
        if fate is Fate.ABORTED and commits:
            yield f"{told.actor} was told that {told.id} is aborted; it is committed at {commits}"


def named(cell: Cell) -> str:
    return f"{cell.table}/{cell.key!r}/{cell.group}"


def _wrong_read(read: Read, truth: Truth) -> Iterator[str]:
    wanted, found = truth.at(read.cell, read.snapshot), live(read.found)
    if read.found is not None and found is None and read.found.commit_timestamp <= read.watermark:
        yield f"{read.actor} read a tombstone of {read.found.commit_timestamp} in {named(read.cell)}: others may not"
    if read.newest:
        known = [version for version in truth.versions.get(read.cell, ()) if version.commit_timestamp >= _time(wanted)]
        if read.found in known or (found is None and wanted is None) or (found is None and None in map(live, known)):
            return
    elif found == wanted:
        return
    yield f"{read.actor} read {named(read.cell)} at snapshot {read.snapshot}: {_told(found)} instead of {_told(wanted)}"


def _wrong_listing(listing: Listing, truth: Truth) -> Iterator[str]:
    wanted = {
        cell.key: version
        for cell in truth.versions
        if (cell.table, cell.group) == (listing.table, listing.group)
        and cell.key > listing.after
        and (listing.before is None or cell.key < listing.before)
        and cell.key.startswith(listing.prefix)
        and (version := truth.at(cell, listing.snapshot)) is not None
    }
    keys, found = [key for key, _ in listing.found], dict(listing.found)
    if len(keys) > listing.limit:
        yield f"{listing.actor} listed {len(keys)} of {listing.table}, and asked for {listing.limit}"
    if keys != sorted(found):
        yield f"{listing.actor} listed {listing.table} at snapshot {listing.snapshot} out of order: {keys}"
    for key in sorted(wanted.keys() | found.keys()):
        if not _same(found.get(key), wanted.get(key)):
            cell = Cell(listing.table, key, listing.group)
            yield (
                f"{listing.actor} listed {named(cell)} at snapshot {listing.snapshot}: {_told(found.get(key))} "
                f"instead of {_told(wanted.get(key))}"
            )


def _same(found: Version | None, wanted: Version | None) -> bool:
    """Entries of an index come without a commit timestamp (0)."""
    if found is None or wanted is None:
        return found is wanted
    return found.value == wanted.value and found.commit_timestamp in (0, wanted.commit_timestamp)


def _time(version: Version | None) -> int:
    return 0 if version is None else version.commit_timestamp


def _told(version: Version | None) -> str:
    return "nothing" if version is None else f"{version.value!r} of {version.commit_timestamp}"
