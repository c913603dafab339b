"""Garbage collection, the sweep of the commit table, and readers who stay long: they are right, or told "too old"."""

from proto.errors import TooOldError, UnavailableError
from repo.api import Snapshot
from tests.simulation.actors.client import ENTRIES, GROUP, OTHER_GROUP, TABLE, Client


class Garbage:
    """Collects and sweeps while others work; some of its steps are long reads, with a lease or without."""

    def __init__(self, clocks_jump: bool) -> None:
        """clocks_jump: so a lease may end too early."""
        self._clocks_jump = clocks_jump

    def prepare(self, client: Client) -> None:
        """Nothing is garbage yet."""

    def act(self, client: Client) -> None:
        if client.random.random() < 0.6:
            self._collect(client)
        else:
            self._read_long(client)

    def finish(self, client: Client) -> None:
        """Once more over everything, so that what it would spoil is spoilt before the last look."""
        for _ in range(4):
            self._collect(client)

    def _collect(self, client: Client) -> None:
        """Often right below the present, sometimes below something older; in slices of any size."""
        newest = client.repo.last_timestamp()
        back = client.random.choice((0, 0, 1, 10, 5_000_000, 50_000_000))
        for _ in range(client.random.randint(1, 4)):
            client.repo.collect_garbage(max(0, newest - back), limit=client.random.choice((1, 3, 10, 1000)))
            client.rest()

    def _read_long(self, client: Client) -> None:
        with client.repo.snapshot() as snapshot:
            try:
                if client.random.random() < 0.6:
                    with client.repo.lease(snapshot, seconds=3600):
                        self._reread(client, snapshot, leased=True)
                else:
                    self._reread(client, snapshot, leased=False)
            except TooOldError:
                return

    def _reread(self, client: Client, snapshot: Snapshot, leased: bool) -> None:
        for _ in range(3):
            client.rest(40.0)
            try:
                snapshot.scan(TABLE, GROUP, limit=client.random.choice((2, 1000)))
                snapshot.scan(TABLE, OTHER_GROUP)
                snapshot.scan_prefixes(ENTRIES, [b"x", b"y"], limit_each=3)
            except UnavailableError:
                continue
            except TooOldError:
                if leased and not self._clocks_jump:
                    client.failures.append(f"the leased snapshot {snapshot.timestamp} is called too old")
                raise
