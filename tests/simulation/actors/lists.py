"""List-append, as Elle has it: every list that anybody reads is the beginning of the one that is there in the end."""

from repo.api import Snapshot, Transaction
from tests.simulation.actors.client import GROUP, TABLE, Client, key_of, value

KEYS = [key_of("list", number) for number in range(3)]


class Lists:
    """told: elements whose commit was told, with their lists; seen: every list that was read."""

    def __init__(self) -> None:
        self.told: list[tuple[bytes, bytes]] = []
        self.seen: dict[bytes, list[list[bytes]]] = {key: [] for key in KEYS}

    def prepare(self, client: Client) -> None:
        """A list that was never appended to is absent."""

    def act(self, client: Client) -> None:
        keys = client.random.sample(KEYS, client.random.randint(1, 2))
        if client.random.random() < 0.3:
            client.look(lambda snapshot, transaction: self._note(snapshot, keys))
            return
        elements: dict[bytes, bytes] = {}

        def append(snapshot: Snapshot, transaction: Transaction) -> None:
            for key in keys:
                elements[key] = client.tag()
                transaction.write(TABLE, key, GROUP, b",".join([*elements_of(snapshot, key), elements[key]]))

        outcome = client.transact(append)
        if outcome is not None and outcome.committed:
            self.told += elements.items()

    def finish(self, client: Client) -> None:
        def look(snapshot: Snapshot, transaction: Transaction) -> None:
            for key in KEYS:
                self._judge(client, key, elements_of(snapshot, key))

        client.look(look)

    def _note(self, snapshot: Snapshot, keys: list[bytes]) -> None:
        for key in keys:
            self.seen[key].append(elements_of(snapshot, key))

    def _judge(self, client: Client, key: bytes, last: list[bytes]) -> None:
        if len(set(last)) < len(last):
            client.failures.append(f"list {key!r} has an element twice: {last}")
        for seen in self.seen[key]:
            if last[: len(seen)] != seen:
                client.failures.append(f"list {key!r} was {seen} and is {last}")
        for element in (element for told, element in self.told if told == key):
            if element not in last:
                client.failures.append(f"list {key!r} lost {element!r}, which is committed: {last}")


def elements_of(snapshot: Snapshot, key: bytes) -> list[bytes]:
    stored = value(snapshot, key)
    return stored.split(b",") if stored else []
