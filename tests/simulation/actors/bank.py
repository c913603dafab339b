"""Money moves between accounts; whoever looks at all of them sees the same sum."""

from repo.api import Snapshot, Transaction
from tests.simulation.actors.client import GROUP, TABLE, Client, key_of

ACCOUNTS = [key_of("account", number) for number in range(4)]
OPENED_WITH = 100


class Bank:
    def prepare(self, client: Client) -> None:
        client.transact(self._open)

    def act(self, client: Client) -> None:
        if client.random.random() < 0.3:
            client.look(lambda snapshot, transaction: self._audit(client, snapshot))
            return
        giver, taker = client.random.sample(ACCOUNTS, 2)
        amount = client.random.randint(1, 50)

        def transfer(snapshot: Snapshot, transaction: Transaction) -> None:
            known = balances(snapshot)
            transaction.write(TABLE, giver, GROUP, b"%d" % (known[giver] - amount))
            transaction.write(TABLE, taker, GROUP, b"%d" % (known[taker] + amount))

        client.transact(transfer)

    def finish(self, client: Client) -> None:
        client.look(lambda snapshot, transaction: self._audit(client, snapshot))

    def _open(self, snapshot: Snapshot, transaction: Transaction) -> None:
        for account in ACCOUNTS:
            transaction.write(TABLE, account, GROUP, b"%d" % OPENED_WITH)

    def _audit(self, client: Client, snapshot: Snapshot) -> None:
        known = balances(snapshot)
        if sum(known.values()) != OPENED_WITH * len(ACCOUNTS):
            client.failures.append(f"bank: at snapshot {snapshot.timestamp} the accounts hold {list(known.values())}")


def balances(snapshot: Snapshot) -> dict[bytes, int]:
    found = snapshot.read(TABLE, GROUP, ACCOUNTS)
    return {
        account: int(version.value or b"0") if version is not None else 0
        for account, version in zip(ACCOUNTS, found, strict=True)
    }
