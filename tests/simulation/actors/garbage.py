"""Garbage collection, the sweep of the commit table, and readers who stay long: they are right, or told "too old"."""

from proto.errors import TooOldError, UnavailableError
from repo.api import Snapshot
from tests.simulation.actors.client import ENTRIES, GROUP, OTHER_GROUP, TABLE, Client
from tests.simulation.product import SETTLED_MS

BEYOND = -(10**15)
"""In timestamps: some who collect ask for more than there is."""


class Garbage:
    """Collects and sweeps while others work; some of its steps are long reads, with a lease or without."""

    def __init__(self, clocks_jump: bool) -> None:
        """clocks_jump: so a lease may end too early."""
        self._clocks_jump = clocks_jump

    def prepare(self, client: Client) -> None:
        """Nothing is garbage yet."""

    def act(self, client: Client) -> None:
        if client.random.random() < 0.5:
            collect(client)
        else:
            self._read_long(client)

    def finish(self, client: Client) -> None:
        """Once more over everything, so that what it would spoil is spoilt before the last look."""
        for _ in range(2):
            collect(client)

    def _read_long(self, client: Client) -> None:
        with client.repo.snapshot() as snapshot:
            try:
                if client.random.random() < 0.3:
                    with client.repo.lease(snapshot, seconds=3600):
                        self._lease_another(client)
                        self._reread(client, snapshot, leased=True)
                else:
                    self._reread(client, snapshot, leased=False)
            except TooOldError:
                return

    def _lease_another(self, client: Client) -> None:
        """Which ends before the first one."""
        try:
            with client.repo.snapshot() as snapshot, client.repo.lease(snapshot, seconds=3600):
                client.rest(5.0)
        except UnavailableError:
            pass

    def _reread(self, client: Client, snapshot: Snapshot, leased: bool) -> None:
        for _ in range(3):
            client.rest(40.0)
            try:
                found = snapshot.scan(TABLE, GROUP, limit=client.random.choice((2, 1000)))
                snapshot.read(TABLE, GROUP, [key for key, _ in found])
                snapshot.scan(TABLE, OTHER_GROUP)
                snapshot.scan_prefixes(ENTRIES, [b"x", b"y"], limit_each=3)
            except UnavailableError:
                continue
            except TooOldError:
                if leased and not self._clocks_jump:
                    client.failures.append(f"the leased snapshot {snapshot.timestamp} is called too old")
                raise


def collect(client: Client) -> None:
    """Beyond the present, right below it, or below something older; at once, or in slices of any size. Sometimes such
    that the commit table is swept exactly up to an id."""
    newest = client.repo.last_timestamp()
    settled = SETTLED_MS * 1_000_000
    ids = [id for id in sorted(client.repo.history.commits)[-12:] if id + settled <= newest]
    sweeps = [newest - id - settled for id in ids[-2:]]
    back = client.random.choice((BEYOND, 0, 1, 10, 50_000_000, 200_000_000, *sweeps))
    for limit in client.random.choice(([1000], [1000, 1000], [1, 3, 10, 1000], [10] * 4)):
        client.repo.collect_garbage(max(0, newest - back), limit)
