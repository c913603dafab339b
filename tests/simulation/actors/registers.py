"""Registers that are written blindly, deleted, listed and looked at as of earlier times; an index goes with them.

The engine's whole port is used; the history checker is the judge.
"""

from collections.abc import Sequence

from repo.api import Cell, Snapshot, Transaction
from tests.simulation.actors.asker import ask
from tests.simulation.actors.client import ENTRIES, GROUP, LATEST, OTHER_GROUP, TABLE, Client, key_of
from tests.simulation.topics import SHIPPED_MS_MAX

KEYS = [key_of("register", number) for number in range(3)]
MORE_KEYS = [*KEYS, *(key_of("register", number) for number in range(3, 5)), KEYS[0] + b"\0"]
"""One comes right after another one."""
NEWS = "news"
MARKED = (TABLE, LATEST)
AHEAD = (1, 50, 10_000_000, 10**15)
"""How far beyond a snapshot somebody wants to see, in timestamps: there is nothing yet that would stay as it is."""


class Registers:
    """sent: messages whose commit was told."""

    def __init__(self) -> None:
        self.sent: set[bytes] = set()

    def prepare(self, client: Client) -> None:
        """Absent at first."""

    def act(self, client: Client) -> None:
        often = (self._write, self._write_if_unchanged, self._many, self._many, self._look, ask)
        client.random.choice((*often, self._alone, self._latest, self._in_turn))(client)

    def finish(self, client: Client) -> None:
        client.look(self._everything)
        client.scheduler.sleep(SHIPPED_MS_MAX)
        lost = self.sent - {message.payload for message in client.topics.waiting.get(NEWS, {}).values()}
        if lost:
            client.failures.append(f"messages of what is committed were lost: {lost}")

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
                entries = [
                    b"x" + key,
                    b"y" + key,
                    *([b"y", b"x" + key + b"\0", b"\xff" + key] if key == KEYS[0] else []),
                ]
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
            shared = [
                key_of("shared", client.tag().decode()) for _ in range(2)
            ]  # by members of this call only, which have no other guard
            self._share(client, members, shared)
            self._send(client, members)
            with client.repo.snapshot() as after:
                after.scan_prefixes(ENTRIES, shared, limit_each=1)
                after.read(TABLE, GROUP, shared)

        client.look(write)

    def _alone(self, client: Client) -> None:
        """An entry that nobody else writes: nothing is in its way."""

        def write(snapshot: Snapshot, transaction: Transaction) -> None:
            transaction.write_index(ENTRIES, b"v" + client.tag(), b"")
            client.repo.commit([transaction])

        client.look(write)

    def _latest(self, client: Client) -> None:
        """What is read as of now changes while a snapshot is looked at, and its mark does."""

        def write(snapshot: Snapshot, transaction: Transaction) -> None:
            snapshot.change_marks(MARKED)
            transaction.write(LATEST, key_of("latest"), GROUP, client.tag())
            (outcome,) = client.repo.commit([transaction])
            snapshot.change_marks(MARKED)
            for _, version in snapshot.scan(LATEST, GROUP):
                if outcome.committed and version.commit_timestamp < outcome.commit_timestamp:
                    client.failures.append(f"the latest is {version}, after {outcome}")

        client.look(write)

    def _in_turn(self, client: Client) -> None:
        """Two write a row's two cells, and share an id; a third one, with an older snapshot and perhaps a spare id that
        is lower, waits for one of them."""
        first, second, shared = (key_of("turn", client.tag().decode()) for _ in range(3))
        with client.repo.snapshot() as old, client.repo.snapshot():
            members = [Transaction(old.timestamp)]
        members[0].write(TABLE, second, OTHER_GROUP, client.tag())
        client.repo.commit(members)
        with client.repo.snapshot() as new:
            members = [Transaction(at) for at in (new.timestamp, new.timestamp, old.timestamp)]
        for member, key, group in zip(members, (first, first, second), (GROUP, OTHER_GROUP, GROUP), strict=True):
            member.write(TABLE, key, group, client.tag())
            member.messages.append((NEWS, 0, client.tag()))
        for member in members[1:]:
            member.write_index(ENTRIES, shared, client.tag())
        self._send(client, members)
        with client.repo.snapshot() as after:
            after.scan_prefixes(ENTRIES, [shared], limit_each=1)

    def _send(self, client: Client, members: Sequence[Transaction]) -> None:
        """Remembers the messages of those that are committed."""
        outcomes = client.repo.commit(members)
        for member, outcome in zip(members, outcomes, strict=True):
            self.sent.update(payload for _, _, payload in member.messages if outcome.committed)

    def _share(self, client: Client, members: Sequence[Transaction], shared: Sequence[bytes]) -> None:
        """Entries, or companions, of which the last one counts."""
        entries = client.random.random() < 0.5
        for key in shared:
            for member in client.random.sample(members, (len(members) + 1) // 2):
                if entries:
                    member.write_index(ENTRIES, key, client.tag())
                else:
                    member.companions[Cell(TABLE, key, GROUP)] = client.tag()

    def _one_of_many(self, client: Client, snapshots: Sequence[int]) -> Transaction:
        """Writes a cell or two, and often checks another one: crosswise, so that two could both find it unchanged."""
        random = client.random
        made = Transaction(random.choice(snapshots))
        seen, *written = random.sample(MORE_KEYS, random.choice((2, 2, 3)))
        for key in written:
            made.write(TABLE, key, random.choice((GROUP, OTHER_GROUP)) if key == KEYS[0] else OTHER_GROUP, client.tag())
        if random.random() < 0.3:
            made.messages.append((NEWS, 0, client.tag()))
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
        for after, before in snapshot.partitions(TABLE, 2):
            snapshot.scan(TABLE, OTHER_GROUP, after, before)
        self._in_pages(snapshot)

    def _in_pages(self, snapshot: Snapshot) -> None:
        """Each entry once, in whatever order the prefixes are asked for, one of them within another one."""
        prefixes, after = [b"\xff", b"y" + KEYS[1], b"y", b"x" + KEYS[0], b"x" + key_of("register"), b"x"], b""
        for _ in range(len(KEYS)):
            listed = snapshot.scan_prefixes(ENTRIES, prefixes, limit_each=2, after=after)
            if len(listed[-1]) < 2:
                break
            after = listed[-1][-1][0]
        snapshot.scan_prefixes(ENTRIES, [b"x" + KEYS[0]], limit_each=2, after=b"x" + KEYS[0])
        snapshot.scan_prefixes(ENTRIES, [b"x" + KEYS[2], b"y" + KEYS[0]], limit_each=2)
