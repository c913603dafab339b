"""Fluo's stresso: numbers are counted at the leaves of a trie, and the counts are carried up to its root, step by step.

In the end the root must have counted every number exactly once, whoever crashed in between.
"""

from repo.api import Snapshot, Transaction
from tests.simulation.actors.client import GROUP, OTHER_GROUP, TABLE, Client, key_of, value

LEVELS = 2
FANOUT = 2


class Trie:
    """A node (level, number) has two cells: how many it has counted (GROUP), and how many of them are still to be
    carried up (OTHER_GROUP). told: numbers whose insertion was told."""

    def __init__(self) -> None:
        self.told: set[int] = set()

    def prepare(self, client: Client) -> None:
        """Nodes are absent at first."""

    def act(self, client: Client) -> None:
        if client.random.random() < 0.5:
            self._insert(client, client.random.randrange(20))
        else:
            level = client.random.randrange(LEVELS)
            carry(client, level, client.random.randrange(FANOUT ** (LEVELS - level)))

    def finish(self, client: Client) -> None:
        for level in range(LEVELS):
            for number in range(FANOUT ** (LEVELS - level)):
                carry(client, level, number)

        def judge(snapshot: Snapshot, transaction: Transaction) -> None:
            inserted = {number for number in range(20) if value(snapshot, key_of("seen", number))}
            counted = count(snapshot, node(LEVELS, 0), GROUP)
            if counted != len(inserted):
                client.failures.append(f"trie: the root has counted {counted} of {len(inserted)} numbers")
            if not self.told <= inserted:
                client.failures.append(f"trie: {self.told - inserted} were inserted, and are lost")

        client.look(judge)

    def _insert(self, client: Client, number: int) -> None:
        leaf = node(0, number % FANOUT**LEVELS)

        def insert(snapshot: Snapshot, transaction: Transaction) -> None:
            if value(snapshot, key_of("seen", number)) is None:
                transaction.write(TABLE, key_of("seen", number), GROUP, b"1")
                add(snapshot, transaction, leaf, GROUP, 1)
                add(snapshot, transaction, leaf, OTHER_GROUP, 1)

        outcome = client.transact(insert)
        if outcome is not None and outcome.committed:
            self.told.add(number)


def carry(client: Client, level: int, number: int) -> None:
    """What waits at a node goes to its parent."""
    child, parent = node(level, number), node(level + 1, number // FANOUT)

    def move(snapshot: Snapshot, transaction: Transaction) -> None:
        waiting = count(snapshot, child, OTHER_GROUP)
        if waiting:
            transaction.delete(TABLE, child, OTHER_GROUP)
            add(snapshot, transaction, parent, GROUP, waiting)
            add(snapshot, transaction, parent, OTHER_GROUP, waiting)

    client.transact(move)


def add(snapshot: Snapshot, transaction: Transaction, key: bytes, group: str, number: int) -> None:
    transaction.write(TABLE, key, group, b"%d" % (count(snapshot, key, group) + number))


def count(snapshot: Snapshot, key: bytes, group: str) -> int:
    return int(value(snapshot, key, group) or b"0")


def node(level: int, number: int) -> bytes:
    return key_of("node", level, number)
