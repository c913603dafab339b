"""Commit, for a batch of transactions at once:

  1. ids; data cells, and the notification cells of changed rows, at version = id
  2. one frame to the oracle, sent once
  3. shadow cells, for which nobody waits

Members with the same snapshot and disjoint write sets share one id: one put a table, one decision, one put of shadow
cells for them all. When it conflicts, who had the cell has lost; the others are tried again, in two halves. A member
that an earlier one stands in the way of waits for that one's outcome; most often nothing needs to be sent then.

An id is above its transaction's snapshot, and so above every commit that the snapshot holds. Cells that are not in the
conflict set (companions, index entries) have a guard that is: so the newest commit of those has the highest version,
too.
"""

from collections.abc import Iterator, Sequence

from proto.errors import InvalidMessageError, SettingsError, UnavailableError
from repo.api import Outcome, OutcomeKind
from repo.hbase.cell_ids import lone_cell_id
from repo.hbase.cells import Cells
from repo.hbase.commit_cache import CommitCache
from repo.hbase.insist import insist
from repo.hbase.outcomes import Place, Settlement
from repo.hbase.prepared import Prepared, Rows, without_overlap
from repo.hbase.shadow_cells import encode_shadow, shadow_column
from repo.hbase.spare_ids import SpareIds
from repo.oracle.port import CommitRequest, Decision, TimestampOracle


class Group:
    """Members that share an id. tables: their rows, and their notifications."""

    def __init__(self, id: int, members: Sequence[Prepared]) -> None:
        self.id, self.members = id, members
        self.snapshot = members[0].transaction.snapshot_timestamp
        self.tables: dict[str, Rows] = {}
        messages = 0
        for member in members:
            for table, rows in member.tables.items():
                for row, columns in rows.items():
                    self._add(table, row, columns)
            if member.transaction.messages:
                self._add(*member.notifications(messages))
                messages += len(member.transaction.messages)

    def request(self) -> CommitRequest:
        """What the oracle is to decide."""
        written = tuple(cell for member in self.members for cell in member.written)
        checked = tuple(cell for member in self.members for cell in member.checked)
        return CommitRequest(self.id, self.snapshot, written or (lone_cell_id(self.id),), checked)

    def shadows(self, commit_timestamp: int) -> Iterator[tuple[str, Rows]]:
        """By table, a shadow cell for each data cell."""
        value = encode_shadow(commit_timestamp)
        tables: dict[str, Rows] = {}
        for table, row, column in self.places():
            tables.setdefault(table, {}).setdefault(row, {})[shadow_column(column)] = value
        return iter(tables.items())

    def places(self) -> Iterator[Place]:
        """All its data cells."""
        for member in self.members:
            for table, rows in member.tables.items():
                for row, columns in rows.items():
                    for column in columns:
                        yield Place(table, row, column)

    def _add(self, table: str, row: bytes, columns: dict[bytes, bytes]) -> None:
        rows = self.tables.setdefault(table, {})
        known = rows.get(row)
        rows[row] = columns if known is None else {**known, **columns}


class BatchCommit:
    """One call of Repo.commit."""

    def __init__(self, cells: Cells, oracle: TimestampOracle, ids: SpareIds, cache: CommitCache) -> None:
        self._cells, self._oracle, self._ids, self._cache = cells, oracle, ids, cache
        self._settlement = Settlement(cells, oracle)
        self._outcomes: dict[Prepared, Outcome] = {}
        self._committed: dict[int, int] = {}  # cell id -> commit timestamp, by members
        self._last_id = 0  # the highest so far: who waits for an earlier member has a higher id than that one

    def run(self, members: Sequence[Prepared]) -> list[Outcome]:
        """Raises UnavailableError, InvalidMessageError or SettingsError when nothing was committed, and nothing will
        be."""
        waiting = list(members)
        while waiting:
            ready, waiting = without_overlap([member for member in waiting if not self._has_lost(member)])
            by_snapshot: dict[int, list[Prepared]] = {}
            for member in ready:
                by_snapshot.setdefault(member.transaction.snapshot_timestamp, []).append(member)
            groups: list[list[Prepared]] = list(by_snapshot.values())
            while groups:
                groups = self._round(groups)
        return [self._outcomes[member] for member in members]

    def _has_lost(self, member: Prepared) -> bool:
        """Whether a member before it has committed what it wrote or checked: that is after its snapshot."""
        for cell in (*member.written, *member.checked):
            timestamp = self._committed.get(cell)
            if timestamp is not None:
                self._outcomes[member] = Outcome(OutcomeKind.CONFLICT, timestamp, member.cells[cell])
                return True
        return False

    def _round(self, members: Sequence[Sequence[Prepared]]) -> list[list[Prepared]]:
        """Tries each list as one group. Returns those to try again."""
        try:
            groups = self._written(members)
        except (UnavailableError, InvalidMessageError, SettingsError):
            if not self._outcomes:
                raise
            # Some members are decided already. These are not committed, and never will be: no oracle knows of them.
            # Who tries them again without the others is told why.
            self._outcomes.update((member, Outcome(OutcomeKind.TOO_OLD)) for some in members for member in some)
            return []
        again: list[list[Prepared]] = []
        for group, decision in zip(groups, self._decisions(groups), strict=True):
            again += self._concluded(group, decision)
        return again

    def _written(self, members: Sequence[Sequence[Prepared]]) -> list[Group]:
        """Step 1."""
        ids = self._ids.take([some[0].transaction.snapshot_timestamp for some in members], self._last_id)
        self._last_id = max(ids)
        groups = [Group(id, some) for id, some in zip(ids, members, strict=True)]
        for group in groups:
            for table, rows in group.tables.items():
                self._put(table, group.id, rows)
        return groups

    def _decisions(self, groups: Sequence[Group]) -> list[Decision]:
        """Step 2."""
        try:
            decisions = self._oracle.commit([group.request() for group in groups])
        except UnavailableError:
            decisions = [Decision(OutcomeKind.UNKNOWN)] * len(groups)
        lost = {
            group.id: group.places()
            for group, decision in zip(groups, decisions, strict=True)
            if decision.kind is OutcomeKind.UNKNOWN
        }
        settled = self._settlement.settle(lost) if lost else {}
        return [settled.get(group.id, decision) for group, decision in zip(groups, decisions, strict=True)]

    def _concluded(self, group: Group, decision: Decision) -> list[list[Prepared]]:
        """Step 3, or what is to be tried again."""
        if decision.kind is OutcomeKind.CONFLICT:
            return self._split(group, decision)
        timestamp = group.id if decision.kind is OutcomeKind.UNKNOWN else decision.timestamp
        for member in group.members:
            self._outcomes[member] = Outcome(decision.kind, timestamp)
        if decision.kind is OutcomeKind.COMMITTED:
            self._cache.add(group.id, timestamp)
            for member in group.members:
                self._committed.update(dict.fromkeys(member.written, timestamp))
            for table, rows in group.shadows(timestamp):
                self._cells.put_soon(table, group.id, rows)  # what is lost here readers will heal
        return []

    def _split(self, group: Group, decision: Decision) -> list[list[Prepared]]:
        """Who has the cell has lost; the others come again in two halves, each with an id of its own."""
        losers = [member for member in group.members if decision.cell_id in member.cells] or group.members
        for member in losers:
            cell = member.cells.get(decision.cell_id)
            self._outcomes[member] = Outcome(OutcomeKind.CONFLICT, decision.timestamp, cell)
        rest = [member for member in group.members if member not in self._outcomes]
        half = (len(rest) + 1) // 2
        return [some for some in (rest[:half], rest[half:]) if some]

    def _put(self, table: str, id: int, rows: Rows) -> None:
        """The same bytes until they are acknowledged. Raises UnavailableError after a few attempts: who gives up never
        commits the id, so what lands later is nobody's."""
        insist(lambda: self._cells.put(table, id, rows))
