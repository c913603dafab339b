"""Registers that are written blindly, deleted, listed and looked at as of earlier times; an index goes with them.

The engine's whole port is used; the history checker is the judge.
"""

from collections.abc import Sequence

from repo.api import Snapshot, Transaction
from tests.simulation.actors.asker import ask
from tests.simulation.actors.client import ENTRIES, GROUP, OTHER_GROUP, TABLE, Client, key_of

KEYS = [key_of("register", number) for number in range(3)]
MORE_KEYS = [*KEYS, *(key_of("register", number) for number in range(3, 5)), KEYS[0] + b"\0"]
"""One comes right after another one."""
AHEAD = (1, 50, 10_000_000, 10**15)
"""How far beyond a snapshot somebody wants to see, in timestamps: there is nothing yet that would stay as it is."""


class Registers:
    def prepare(self, client: Client) -> None:
        """Absent at first."""

    def act(self, client: Client) -> None:
        what = client.random.choice((self._write, self._write_if_unchanged, self._many, self._many, self._look, ask))
        what(client)

    def finish(self, client: Client) -> None:
        client.look(self._everything)

    def _write(self, client: Client) -> None:
        key, deletes = client.random.choice(KEYS), client.random.random() < 0.25
        group = client.random.choice((GROUP, OTHER_GROUP))
        tag = client.tag()

        def write(snapshot: Snapshot, transaction: Transaction) -> None:
            if deletes:
                transaction.delete(TABLE, key, group)
            else:
                transaction.write(TABLE, key, group, tag)
            if group == GROUP:  # the entries of a register are its group's own
                entries = [b"x" + key, b"y" + key, *([b"y", b"x" + key + b"\0"] if key == KEYS[0] else [])]
                for entry in entries:
                    transaction.delete_index(ENTRIES, entry)
                for entry in client.random.sample(entries, 0 if deletes else len(entries) // 2):
                    transaction.write_index(ENTRIES, entry, b"")

        client.transact(write)

    def _write_if_unchanged(self, client: Client) -> None:
        """Reads one for conflict and writes another: two who do it crosswise can't both succeed."""
        seen, written = client.random.sample(KEYS, 2)

        def write(snapshot: Snapshot, transaction: Transaction) -> None:
            snapshot.read(TABLE, OTHER_GROUP, [seen])
            transaction.check(TABLE, seen, OTHER_GROUP)
            transaction.write(TABLE, written, OTHER_GROUP, client.tag())

        client.transact(write)

    def _many(self, client: Client) -> None:
        """Several transactions in one call, some of them in each other's way, some with an older snapshot."""

        def write(snapshot: Snapshot, transaction: Transaction) -> None:
            client.rest(20.0)
            with client.repo.snapshot() as newer:
                snapshots = (snapshot.timestamp, newer.timestamp)
            members = [self._one_of_many(client, snapshots) for _ in range(client.random.randint(1, 5))]
            client.rest(10.0)
            client.repo.commit(members)

        client.look(write)

    def _one_of_many(self, client: Client, snapshots: Sequence[int]) -> Transaction:
        """Writes a cell or two, and often checks another one: crosswise, so that two could both find it unchanged."""
        random = client.random
        made = Transaction(random.choice(snapshots))
        seen, *written = random.sample(MORE_KEYS, random.choice((2, 2, 3)))
        for key in written:
            made.write(TABLE, key, random.choice((GROUP, OTHER_GROUP)) if key == KEYS[0] else OTHER_GROUP, client.tag())
        if random.random() < 0.6:
            made.check(TABLE, seen, OTHER_GROUP)
        return made

    def _look(self, client: Client) -> None:
        """Twice at one snapshot, so that it is seen whether it stays as it was."""

        def look(snapshot: Snapshot, transaction: Transaction) -> None:
            self._everything(snapshot, transaction)
            client.rest(30.0)
            self._everything(snapshot, transaction)
            key = client.random.choice(KEYS)
            for version in snapshot.history(TABLE, GROUP, key, client.random.choice((2, 3, 100)))[1:2]:
                with client.repo.snapshot_at(version.commit_timestamp) as earlier:
                    earlier.read(TABLE, GROUP, KEYS)
            with client.repo.snapshot_at(snapshot.timestamp + client.random.choice(AHEAD)) as later:
                later.read(TABLE, GROUP, KEYS)

        client.look(look)

    def _everything(self, snapshot: Snapshot, transaction: Transaction) -> None:
        snapshot.read(TABLE, GROUP, KEYS)
        snapshot.scan(TABLE, OTHER_GROUP, after=key_of("register"), limit=2)
        snapshot.scan(TABLE, OTHER_GROUP)
        self._in_pages(snapshot)

    def _in_pages(self, snapshot: Snapshot) -> None:
        """Each entry once, in whatever order the prefixes are asked for, one of them within another one."""
        prefixes, after = [b"y", b"x" + KEYS[0], b"x" + key_of("register"), b"x"], b""
        for _ in range(len(KEYS)):
            listed = snapshot.scan_prefixes(ENTRIES, prefixes, limit_each=2, after=after)
            if len(listed[-1]) < 2:
                break
            after = listed[-1][-1][0]
