"""Whoever finds cells of others and wants to know what became of them, as the dispatcher of notifications does."""

from collections.abc import Sequence

from repo.oracle.port import Resolution
from tests.simulation.actors.client import Client
from tests.simulation.checkers.history import Told

LATELY = 6
SETTLES = 0.2


def ask(client: Client, lately: int = LATELY) -> None:
    """Of what was put lately, much of it undecided yet. Now and then one id is settled: so it is refused for ever, if
    it was undecided."""
    attempts = client.repo.history.attempts[-lately:]
    ids = sorted({id for attempt in attempts for id in attempt.ids})
    if not ids:
        return
    if client.random.random() < SETTLES:
        ids = [client.random.choice(ids)]
        found = client.oracle.settle(ids)
        _write_down(client, ids, found)
    else:
        told_of(client, ids)


def told_of(client: Client, ids: Sequence[int]) -> None:
    """Asks, and changes nothing."""
    _write_down(client, ids, client.oracle.resolve(ids))


def _write_down(client: Client, ids: Sequence[int], found: Sequence[Resolution]) -> None:
    client.repo.history.told += [Told(client.process.name, id, one) for id, one in zip(ids, found, strict=True)]
