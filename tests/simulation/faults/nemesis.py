"""What befalls whole processes, at moments that the seed decides: crashes, stops, take-overs, jumps of clocks."""

from collections.abc import Callable
from random import Random
from typing import Protocol

from tests.simulation.faults.network import Network
from tests.simulation.oracles import SETTLE
from tests.simulation.scheduler import Process, Scheduler

JUMPS_MS = (-3_600_000.0, -50.0, -1.0, 1.0, 50.0, 61_000.0, 3_600_000.0)
"""An hour back; over a lease's and a transaction's age."""


NEXT_CALLS = 6
"""A crash or a stop comes in one of so many next calls: that is how it gets between two of them."""


class World(Protocol):
    """What there is to be spoilt."""

    @property
    def scheduler(self) -> Scheduler: ...

    @property
    def network(self) -> Network: ...

    def clients(self) -> list[Process]:
        """Those that live."""
        ...

    def oracles(self) -> list[Process]:
        """Those that live, the leader last."""
        ...

    def tables(self) -> list[str]: ...

    def new_oracle(self) -> None: ...

    def compact(self) -> None: ...

    def collect(self) -> None:
        """Somebody collects garbage, from now on."""
        ...


def loose(world: World, during_ms: float) -> None:
    """Draws all of it for a run whose actors need about `during_ms`."""
    plan, scheduler, random = world.network.plan, world.scheduler, world.scheduler.random
    strokes: list[tuple[int, Callable[[World, Random], None]]] = [
        (plan.oracle_crashes, _crash_leader),
        (plan.take_overs, _take_over),
        (plan.clock_jumps, _jump),
        (plan.stops, _stop),
        (plan.client_stops, _stop_client),
        (plan.compactions, lambda world, random: world.compact()),
        (plan.pauses, _pause),
        (plan.outages, _take_away),
        (plan.batches, _spoil_a_batch),
    ]
    for count, stroke in strokes:
        for _ in range(count):
            scheduler.later(random.uniform(0.0, during_ms), lambda stroke=stroke: stroke(world, random))  # type: ignore[misc]


def _crash_leader(world: World, random: Random) -> None:
    for process in world.oracles()[-1:]:
        process.crash_at = process.calls + random.randint(1, NEXT_CALLS)


def _take_over(world: World, random: Random) -> None:
    """Sometimes two try at the same moment."""
    for _ in range(random.choice((1, 2, 2))):
        world.new_oracle()


def _stop(world: World, random: Random) -> None:
    """Most often of the leader; and then, most often, somebody else takes over meanwhile."""
    leader = world.oracles()[-1:]
    process = leader[0] if leader and random.random() < 0.7 else random.choice([*world.oracles(), *world.clients()])
    _stop_next(world, random, process, process.calls + random.randint(1, NEXT_CALLS), process in leader)


def _stop_next(world: World, random: Random, process: Process, call: int, leads: bool = True) -> None:
    process.stop_at, process.stop_ms = call, random.uniform(5.0, 100.0)
    if leads and random.random() < 0.8:
        process.stopped = lambda: world.scheduler.later(random.uniform(0.0, 10.0), world.new_oracle)


def _stop_client(world: World, random: Random) -> None:
    """While it reads; and meanwhile somebody collects what it is about to read."""
    clients = world.clients()
    if not clients:
        return
    process = random.choice(clients)
    if random.random() < 0.5:
        process.stop_on = random.choice([world.tables()[0], SETTLE, SETTLE, *world.tables()])
    else:
        process.stop_at = process.calls + random.randint(1, 2 * NEXT_CALLS)
    process.stop_ms = random.uniform(20.0, 800.0)
    process.stopped = lambda: world.scheduler.later(random.uniform(0.0, process.stop_ms), world.collect)


def _spoil_a_batch(world: World, random: Random) -> None:
    """In the very call that puts what the leader has just decided for several clients."""
    for process in world.oracles()[-1:]:

        def spoil(process: Process = process) -> None:
            process.at_batch = lambda: None
            if random.random() < 0.5:
                process.crash_at = process.calls + 1
            else:
                _stop_next(world, random, process, process.calls + 1)

        process.at_batch = spoil


def _take_away(world: World, random: Random) -> None:
    """Most often so that somebody else has to take over meanwhile."""
    table, ms = random.choice(world.tables()), random.uniform(5.0, 40.0)
    world.network.takes_away(table, ms)
    if random.random() < 0.5:
        _crash_leader(world, random)


def _jump(world: World, random: Random) -> None:
    process = random.choice([*world.oracles(), *world.clients()])
    process.skew_ms += random.choice(JUMPS_MS)
    world.scheduler.trace.add(process.name, "its clock jumps to {} ms ahead", process.skew_ms)


def _pause(world: World, random: Random) -> None:
    table = random.choice(world.tables())
    world.network.pause(table, random.uniform(5.0, 60.0))
    world.scheduler.trace.add("server", "a region of {} pauses", table)
