"""Several commits at once, which the oracle decides and makes durable together; and commits that come a moment too
late. Nobody reads before he writes here, so little is in the way of it."""

from functools import partial

from repo.api import Cell, Outcome, OutcomeKind, Snapshot, Transaction
from repo.oracle.port import TIMESTAMP_STEP
from tests.simulation.actors.client import GROUP, OTHER_GROUP, TABLE, Client, key_of

KEYS = [key_of("crowd", number) for number in range(6)]
LATE = Cell(TABLE, key_of("late"), OTHER_GROUP)
MANY = (2, 2_000, 20_000)
"""Ids that somebody takes at once; so many are a ms of timestamps."""
LATELY = 12
"""Attempts to look back at."""
BEFORE = (0, 1, TIMESTAMP_STEP, TIMESTAMP_STEP)
"""By how much a snapshot is older than a commit; at 0 it sees it."""


class Crowd:
    def prepare(self, client: Client) -> None:
        """Absent at first."""

    def act(self, client: Client) -> None:
        if client.random.random() < 0.6:
            client.look(lambda snapshot, transaction: self._at_once(client, snapshot))
        else:
            client.random.choice((self._too_late, self._too_late, self._too_early, self._many_ids))(client)

    def finish(self, client: Client) -> None:
        """Everything is looked at anyway."""

    def _at_once(self, client: Client, snapshot: Snapshot) -> None:
        """As threads of one process."""
        snapshot.read(TABLE, GROUP, KEYS)
        transactions: list[Transaction] = []
        for key in client.random.sample(KEYS, client.random.randint(2, 5)):
            transactions.append(Transaction(snapshot.timestamp))
            transactions[-1].write(TABLE, key, GROUP, client.tag())
        client.at_once([partial(self._commit, client, transaction) for transaction in transactions])

    def _too_early(self, client: Client) -> None:
        """Looks as of what somebody has seen in the commit table, before its flush has ended perhaps."""
        newest = max((commit for commits in client.repo.history.commits.values() for commit in commits), default=0)
        with client.repo.snapshot(newest) as snapshot:
            for _ in range(2):
                snapshot.read(TABLE, GROUP, KEYS)
                client.rest(5.0)

    def _many_ids(self, client: Client) -> None:
        client.oracle.begin(client.random.choice(MANY), client.repo.known)

    def _too_late(self, client: Client) -> None:
        """Checks, or writes, what somebody has just committed; at a snapshot from right before, or right after it."""
        lately: list[tuple[int, Cell]] = []
        for attempt in client.repo.history.attempts[-LATELY:]:
            if attempt.told is not None and attempt.told.committed:
                lately += [(attempt.told.commit_timestamp, cell) for cell in attempt.writes]
        commit, cell = client.random.choice(sorted(lately)[-4:] or [(0, LATE)])
        with client.repo.snapshot_at(commit - client.random.choice(BEFORE)) as snapshot:
            transaction = Transaction(snapshot.timestamp)
        if cell.key in (*KEYS, LATE.key):
            transaction.write(cell.table, cell.key, cell.group, client.tag())
        else:
            transaction.check(cell.table, cell.key, cell.group)
            transaction.write(*LATE, client.tag())
        self._commit(client, transaction)

    def _commit(self, client: Client, transaction: Transaction) -> Outcome:
        (outcome,) = client.repo.commit([transaction])
        return client.settle(transaction, outcome) if outcome.kind is OutcomeKind.UNKNOWN else outcome
